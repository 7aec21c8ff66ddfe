"""Nonsense words with English phonotactics: an onset and a rime each.

One fifth of all words is held out of the pretraining lexicon, split by a hash
of the word so that the split never changes. The evaluation lexicon consists of
the held-out words that pretraining does not meet in any other way either, as
the beginning of an English word or of a name made of syllables.
"""

import functools
import hashlib
import re
from collections.abc import Sequence

ONSETS = tuple(
  """b bl br c ch cl cr d dr f fl fr g gl gr h j k kl kr l m n p pl pr qu r s
  sc sh sk sl sm sn sp spl st str sw t th tr tw v w wh y z dw fw gw shr spr
  thr zw vl""".split()
)
RIMES = tuple(
  """ab ack aft alb alf alp amp and ank arb ard arf arg ark arm arn arp ask
  asp eb eck eft elb elk elm elp emp end erb erd erg erm erp esk est ib ick
  ift ilb ilf ilk ilm ilp imp ind ink irb ird irp isk isp ob ock oft olb olf
  olk olm omp ond onk orb ord orf org orm orp osk osp ub uck uft ulb ulf ulk
  ulp ump und unk urb urd urf urk urm urp usk usp on im ez om iv ax
  ud""".split()
)

# Real words (and near-brands) that the tables would produce.
ENGLISH = frozenset(
  """back black brick block buck bump band bank bark barn bask bend best bib
  bird blank bland blend blest blink blob blond blub blurb bob bond bond born
  brand brisk bulb bulk bunk burp cab card cart champ chank chard chest chick
  chink chirp chob chuck chump chunk clamp clank clasp click clink clock club
  cluck clump cob cod cold cork corn corp crab crack craft cramp crank crest
  crib crimp crisp crock crust crib cub cud curb curd curb dab damp dank dark
  darn deck desk disk dock dom dork draft drab drank drift drink drub drum duck
  dump dunk dusk eft elk end erg fab fact farm fend fern fib film find fink firm
  flab flack flank flask flick flock flunk flub fob folk fond fork form frank
  frisk frock from fund funk gab gasp gift gild glib glob glum gob golf gram
  grab grand grasp grid grim grimp grind grub gruff guck gulp gulf hack half
  hand hank harb hard hark harm harp help helm hemp hend herb herd him hind
  hob hock honk hub huck hud hulk hump hunk husk imp ink irk jab jack jerk
  job jock junk kelp kick kiln kim kin kind kink lab lack lamp land lank lard
  lark lend lib lick lift limb limp link lob lock loft lord lorn luck lump
  mack mark mask mend milk mind mink mob mock mon mud mulch mud musk nab neck
  nick nib nob nub numb on orb pack park pick pimp pink plank pluck plump plonk
  pock pod pomp pond pork prank prick prim prompt pub puck pulp pump punk quack
  quest quick quirk ram rack raft ramp rank rasp rend rest rib rick rift rim
  rind rink risk rob rock romp rub ruck rump rusk sack sand sank scab scalp
  scamp scarf scorn scum self send shack shaft shank shark sharp shelf shim
  shirk shock shrank shrimp shrink shrub shrunk shuck sick sift silk simp
  sink skim skimp skink skirp skulk skunk slab slack slam slant slick slim
  slink slob slum slump slunk smack smirk smock smog smurf snack snarf snarl
  snick snob snub snuck sob sock solid son sork spank spark spasm spend sperm
  splint spond sponk sprank spud spunk stab stack staff stalk stamp stand stank
  stark stem stick stink stob stock stomp stork storm stub stuck stud stump
  stunk stunk sub suck sulk sum sunk surf swab swam swamp swank swim swift tab
  tack talk tank task tend term test thank them thick thing think third thorn
  thud thumb thump tick tilt tom tomb ton torn track tramp trend trick trim
  trom tromp truck trunk trump tub tuck tusk twerk twirk van vend verb vim von
  wank ward warm warp wasp week weld welp wend whelp whim whip whisk whom wick
  wilk wind wink wisp won work world worm wreck yank yelp yard yolk york zinc
  zip zonk wild yon rest west vest west zest nest pest jest text axe ax tax
  cock dick fuck cum crap turd slunk smut twunk prick spick fag drack chud
  wax max sax fax lax pax don con fun sun sud mud bud cud dud wed led bed red
  shed sped bled fled him rim dim brim swum slum plum chum drum sum gum hum
  loom boom doom prom tom mom rom bomb comb womb lomb nomad five give live dive
  drive thrive strive jive hive wife olive quiz fez chez arm art bard""".split()
)


# Excluded from the evaluation lexicon only, because excluding them from the
# pretraining lexicon would change the pretraining rows. These are English words
# (also rare ones from GCIDE and Webster's Second), beginnings of English words
# in the pretraining stream ('problem'), and words that its random strings
# happen to spell.
_NOT_HELD_OUT = frozenset(
  """bleb blick blunk bronk chelp clack cleft cronk cruck daft drunk fluck
  frab fruck glink grond hax klick klom kraft laft plock quab quark quim scink
  scob scud scuft skank skemp skift slon slud smarm smift snab soft sparm
  speck sprink stirp streck strick strind stulp sward swick swob swom tharf
  theb theft therm thilk thoft thrimp thurm twink twirp vax weft whalp whand
  whelk whomp whulk yamp yarb yelk yerb yerd yomp yond
  comp forg prob cheft
  yez crim scand swomp ruft""".split()
)
# The beginnings of names made of syllables ('Worfan'), see
# `pretraining.people`.
_SYLLABLES = re.compile(
  '[bcdfghjklmnprstvwz][aeiou](?:n|r|l|s|t|m|th|ck)?[bcdfghjklmnprstvwz]?'
)


def _is_held_out(word: str) -> bool:
  """Whether the pretraining lexicon excludes the word, as one in five."""
  return hashlib.sha256(word.encode()).digest()[0] % 5 == 0


def is_evaluation(word: str) -> bool:
  """Whether a nonsense word belongs to the evaluation lexicon."""
  return (
    _is_held_out(word)
    and word not in _NOT_HELD_OUT
    and not _SYLLABLES.fullmatch(word)
  )


@functools.cache
def words(*, evaluation: bool) -> tuple[str, ...]:
  """Returns all words of the evaluation or the pretraining lexicon.

  The order is fixed.
  """
  return tuple(
    word
    for word in dict.fromkeys(
      onset + rime for onset in ONSETS for rime in RIMES
    )
    if word not in ENGLISH
    and len(word) >= 3
    and (is_evaluation(word) if evaluation else not _is_held_out(word))
  )


@functools.cache
def reserved(count: int) -> frozenset[str]:
  """Returns some words of the pretraining lexicon; fewer are among more.

  They are drawn by a hash. Neighbours in the lexicon share their onset: a model
  that meets none of them cannot know its piece, and fails on such words for
  that reason alone.

  Args:
    count: number of words.
  """
  by_hash = sorted(
    words(evaluation=False), key=lambda word: _priority('reserved', word)
  )
  return frozenset(by_hash[:count])


def _priority(seed: str, word: str) -> bytes:
  return hashlib.sha256(f'{seed}/{word}'.encode()).digest()


def sample(
  count: int, *, seed: str, letters: Sequence[int] | None = None
) -> list[str]:
  """Draws evaluation words of which no two are one edit apart.

  An edit inserts, deletes or replaces one letter. A shorter draw is a prefix of
  a longer one with the same name. Words are ordered by a hash of the draw's
  name and the word, so that removing a word from the lexicon changes only the
  draws with that word.

  Args:
    count: number of words.
    seed: name of the random draw; the same name gives the same words.
    letters: allowed lengths of a word; None for all.

  Raises:
    ValueError: the draw has fewer words. It takes words greedily in random
      order, and so has 304 or more of any length, 262 or more of 4 and 5
      letters (minimum of 200 draws).
  """
  lexicon = [
    word
    for word in words(evaluation=True)
    if letters is None or len(word) in letters
  ]
  drawn: dict[str, None] = {}
  taken: set[str] = set()  # one edit from a drawn word; '*' is any letter
  for word in sorted(lexicon, key=functools.partial(_priority, seed)):
    cuts = [(word[:i], word[i + 1 :]) for i in range(len(word))]
    shorter, replaced = [*map(''.join, cuts)], [*map('*'.join, cuts)]
    if taken.isdisjoint([word, *replaced]) and drawn.keys().isdisjoint(shorter):
      drawn[word] = None
      taken.update(shorter, replaced)
  if count > len(drawn):
    raise ValueError(
      f'{count} nonsense words, no two one edit apart, were requested; this'
      f' draw has {len(drawn)}. Make the world smaller.'
    )
  return list(drawn)[:count]


def title(names: Sequence[str]) -> str:
  """Capitalises and joins words: 'glon', 'trask' -> 'Glon Trask'."""
  return ' '.join(name.capitalize() for name in names)
