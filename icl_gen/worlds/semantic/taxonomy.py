"""Animals and objects as they are: categories, properties and relations.

The real structure behind the semantic world, as readable tables. Whatever is
true of a category is true of its subcategories: the tables have no exceptions
and do not repeat what is inherited.
"""

import dataclasses
import functools
from collections.abc import Mapping

# A line is 'category: what it is | what it has', indented below its parent.
TREE = """
animal: alive active | muscles nerves
  mammal: warm | backbones lungs
    carnivore: fierce | fangs fur
      feline: stealthy agile | whiskers claws
        cat: tame curious
        lion: golden social | manes
        tiger: striped solitary
      canine: social alert | snouts paws
        dog: tame loyal
        wolf: grey wild
        fox: red sly | brushes
      bear: strong brown | paws claws
    ungulate: herbivorous | hooves
      horse: fast tame | manes
      zebra: striped wild | manes
      cow: slow tame | horns udders
      sheep: white tame timid
      goat: curious tame | horns udders
      deer: fast timid | antlers
    rodent: small herbivorous | incisors fur
      mouse: grey timid | whiskers
      rat: sly nocturnal | whiskers
      squirrel: red agile | brushes
      beaver: brown busy | webs
    whale: huge aquatic legless | flippers
    bat: nocturnal small | wings fur
    monkey: curious agile social | fingers fur
    elephant: huge grey clever | trunks tusks
  bird: warm | backbones lungs feathers beaks wings
    raptor: fierce | talons
      eagle: strong solitary golden
      hawk: fast alert
      owl: nocturnal silent
    songbird: small musical
      robin: red curious
      sparrow: brown social
    waterfowl: aquatic | webs
      duck: noisy plump
      goose: grey noisy loyal graceful
    hen: tame plump | combs
    penguin: aquatic plump | flippers
  reptile: cold | backbones lungs scales
    snake: legless stealthy
      cobra: venomous | hoods fangs
      python: strong spotted patient
    lizard: agile alert | claws
    crocodile: fierce aquatic | claws snouts teeth
  fish: cold aquatic | backbones gills fins scales
    shark: fierce grey | teeth
    salmon: silvery strong slippery
    eel: slippery long legless
  insect: cold small | antennae shells
    bee: striped busy social | stings wings
    ant: busy strong social
    moth: nocturnal silent | wings
    beetle: shiny armoured | wings horns
  arachnid: cold solitary | shells
    spider: stealthy patient | fangs
    scorpion: venomous armoured | stings pincers
  crustacean: armoured aquatic | shells antennae gills pincers
    crab: flat agile
    lobster: long strong
object: lifeless artificial | makers
  vehicle: useful | seats
    car: fast shiny | wheels engines doors
    truck: strong noisy | wheels engines cabins
    bicycle: light slim | wheels bells
    train: long fast | wheels engines cabins doors
    boat: hollow | hulls
      ship: huge strong | engines anchors cabins
      canoe: light slim | paddles
    plane: fast huge | wings engines cabins doors
  tool: useful hard | grips
    hammer: heavy | heads
    saw: flat sharp | teeth blades
    axe: heavy sharp | heads blades
    knife: light sharp | blades
    spade: flat strong | blades
  furniture: useful immobile
    chair: light | legs seats
    table: flat wooden | legs
    bed: soft long | legs pillows
    shelf: flat slim wooden
  instrument: musical fragile
    guitar: wooden | strings necks
    violin: wooden light | strings necks
    drum: round loud | heads
  container: hollow useful | openings
    bottle: fragile slim | necks lids
    box: light | lids
    basket: light | handles
    cup: small round | handles
    barrel: wooden round heavy | lids
  clothing: soft wearable | seams
    coat: heavy warm | sleeves hoods
    shoe: strong | laces
    glove: warm small | fingers
    hat: round light | brims
  fitting: useful
    chimney: tall hollow | openings
    mast: tall wooden
    pedal: flat small | grips
    mirror: flat shiny fragile
    pocket: soft hollow | seams
  building: immobile huge | walls roofs
    house: warm | doors windows stairs
    barn: wooden cold | doors
    tower: tall slim | stairs windows
    castle: old strong | gates stairs
    church: old tall silent | bells windows doors
"""

# 'one: others' means 'one <relation> each of the others'.
RELATIONS = {
  'eats': """
    cat: mouse sparrow; lion: zebra; tiger: deer monkey goat;
    wolf: sheep deer; fox: hen mouse; bear: salmon; rat: beetle;
    bat: moth beetle; hawk: sparrow; eagle: salmon; hen: beetle ant;
    penguin: eel; python: goat; lizard: ant moth; crocodile: zebra;
    shark: salmon; eel: crab; lobster: crab; whale: crustacean; dog: fish;
    mouse: insect; songbird: insect; waterfowl: insect; arachnid: insect;
    raptor: rodent; snake: rodent; feline: fish""",
  'fears': """
    mouse: cat; sparrow: hawk; zebra: lion; deer: wolf tiger; sheep: wolf;
    goat: tiger; hen: fox; monkey: tiger; rat: cobra; salmon: bear;
    moth: bat; ant: lizard; crab: eel; squirrel: hawk; cat: dog;
    lizard: hawk; duck: fox; penguin: shark; rodent: raptor;
    songbird: feline; waterfowl: eagle; insect: songbird; fish: shark;
    crustacean: whale""",
  'is larger than': """
    rat: mouse; cat: rat; dog: cat; wolf: fox; lion: wolf; tiger: dog;
    bear: wolf; horse: sheep; cow: sheep; elephant: lion; owl: sparrow;
    hawk: rat; raptor: mouse; whale: elephant; eagle: sparrow; goose: duck;
    goose: robin; hen: robin; python: lizard; shark: salmon;
    crocodile: eel; lobster: crab; truck: car; car: bicycle;
    train: truck; ship: canoe; plane: car; table: chair; bed: chair;
    barrel: bottle; box: cup; castle: house; house: dog; church: barn;
    tower: house; guitar: violin; coat: glove; spade: knife; mammal: insect;
    ungulate: rodent; carnivore: songbird; building: furniture;
    vehicle: clothing; furniture: tool; bird: insect; fish: insect;
    container: glove""",
  'is near': """
    rodent: sparrow; sparrow: house; lion: zebra; beaver: salmon;
    crab: lobster; shark: whale; eagle: bear; crocodile: python;
    penguin: whale; goose: duck; wolf: deer; horse: cow; chimney: sparrow;
    furniture: house; tool: building; vehicle: tower; ungulate: insect;
    waterfowl: boat; boat: fish; instrument: church""",
  'lives in': """
    cat: house; dog: house; horse: barn; cow: barn; hen: barn box;
    mouse: house barn; rat: barn ship; owl: church barn; bat: church tower;
    spider: house; bee: box; moth: coat; beetle: furniture;
    scorpion: shoe; ant: house; robin: box; hawk: tower""",
  'is part of': """
    chimney: house castle; mast: ship; pedal: bicycle car truck;
    mirror: car truck; pocket: coat; tower: castle church; shelf: house;
    basket: bicycle; bed: house""",
  'carries': """
    horse: coat; elephant: barrel; car: box; truck: barrel furniture;
    train: car; ship: truck; canoe: basket; plane: box; bicycle: basket;
    basket: bottle; box: shoe hammer; dog: shoe mouse; ant: beetle;
    owl: mouse; eagle: fish; cat: mouse; bed: cat; shelf: cup;
    table: cup bottle; wolf: sheep; vehicle: bottle; furniture: hat;
    raptor: lizard""",
  'goes with': """
    hammer: saw; axe: saw; knife: cup; chair: table; bed: shelf;
    violin: guitar; guitar: drum; mirror: hat; shoe: coat; glove: coat;
    hat: coat; bottle: cup; barrel: bottle; bicycle: hat; barn: spade;
    house: furniture; dog: sheep; horse: dog; robin: spade; pedal: shoe;
    church: tower; goat: sheep; mast: canoe; tool: glove;
    instrument: chair; furniture: box; container: furniture; vehicle: coat;
    rodent: barn""",
}


@dataclasses.dataclass(frozen=True)
class Category:
  """A category with its own properties, without those it inherits.

  Attributes:
    name: 'cat'.
    parent: name of the category right above; '' at the top.
    adjectives: what it is ('tame').
    parts: what it has ('whiskers'), in the plural.
    relations: (relation, name of a category) pairs ('eats', 'mouse').
  """

  name: str
  parent: str
  adjectives: tuple[str, ...]
  parts: tuple[str, ...]
  relations: tuple[tuple[str, str], ...]


@functools.cache
def categories() -> Mapping[str, Category]:
  """Every category by name, parents before their children."""
  related: dict[str, list[tuple[str, str]]] = {}
  for relation, table in RELATIONS.items():
    for entry in table.split(';'):
      name, others = entry.split(':')
      pairs = [(relation, other) for other in others.split()]
      related.setdefault(name.strip(), []).extend(pairs)
  made: dict[str, Category] = {}
  above: list[str] = []  # the ancestors of the current line
  for line in TREE.strip().split('\n'):
    depth = (len(line) - len(line.lstrip())) // 2
    name, properties = line.strip().split(':')
    adjectives, _, parts = properties.partition('|')
    del above[depth:]
    made[name] = Category(
      name,
      above[-1] if above else '',
      tuple(adjectives.split()),
      tuple(parts.split()),
      tuple(related.pop(name, ())),
    )
    above.append(name)
  assert not related, f'relations of unknown categories: {related}'
  return made


def ancestors(name: str) -> tuple[str, ...]:
  """The categories above a category, nearest first."""
  parent = categories()[name].parent
  return (parent, *ancestors(parent)) if parent else ()


def part(count: int) -> tuple[Category, ...]:
  """The first `count` categories in a fixed order, as a closed taxonomy.

  Categories come with all their ancestors, and those most related to earlier
  ones come first, so that a small world has relations too. Relations to
  categories outside the part are left out. Larger parts contain smaller ones.

  Raises:
    ValueError: `count` is less than 1 or more than there are.
  """
  if not 1 <= count <= len(categories()):
    raise ValueError(
      f'{count} categories; the taxonomy has {len(categories())}. Give 1 to'
      f' {len(categories())}.'
    )
  inside = set(_order()[:count])
  return tuple(
    dataclasses.replace(
      category,
      relations=tuple(pair for pair in category.relations if pair[1] in inside),
    )
    for category in categories().values()
    if category.name in inside
  )


@functools.cache
def _order() -> tuple[str, ...]:
  """Leaves by their number of relations to what is already in the order, each
  after its ancestors."""
  links: dict[str, list[str]] = {name: [] for name in categories()}
  for category in categories().values():
    for _, other in category.relations:
      links[category.name].append(other)
      links[other].append(category.name)
  parents = {category.parent for category in categories().values()}
  waiting = [name for name in categories() if name not in parents]
  order: dict[str, None] = {}
  while waiting:
    # max breaks ties by the order of the tree.
    best = max(
      waiting, key=lambda name: sum(other in order for other in links[name])
    )
    waiting.remove(best)
    order.update(dict.fromkeys([*reversed(ancestors(best)), best]))
  return tuple(order)
