"""English words for filler sentences, wordy descriptions and the tokenizer."""

NOUNS = tuple(
  """animal answer apple army artist autumn bag ball basket beach bell bicycle
  book bottle bowl box boy branch bread breakfast brother butter cabin cake
  camera candle car carpet castle cat chair cheese child church circle clock
  cloud coat coffee company computer corner country crowd cup daughter day
  desert dinner doctor dog door dream dress east edge egg evening eye face
  family farmer father feather field fire fish floor flower forest friend
  fruit garden gate girl glass gold grass group guitar hair hammer hat heart
  hill holiday home hospital hour house idea insect jacket journey kitchen
  knife lake language lamp leaf lesson letter library light lion machine
  market meal memory metal minute mirror money moon morning mother mountain
  mouse museum music needle neighbor night north number ocean office orange
  paper parent park party path pencil people picture piece place planet plant
  plate pocket poem potato president prize problem queen question rain reason
  record restaurant ring river road robot roof room rope salt school science
  sea season secret shadow shape sheep shoe shop shoulder silver sister sky
  snow society soldier space spoon spring square stage star station stone
  storm story street student sugar summer sun surface system table teacher
  temple thunder ticket time tool town train tree valley village voice wall
  war water wave weather week wheel wind window winter woman wood word year
  technology symphony intelligence medicine energy novel series award director
  engineer scientist physicist chef historian mathematician athlete journalist
  philosopher astronaut ecosystem theory device reality adventure documentary
  masterpiece championship expedition civilization language universe""".split()
)
VERBS = tuple(
  """admired answered asked believed borrowed bought broke brought built
  called carried caught changed cleaned climbed closed collected cooked
  counted covered created crossed described discovered developed designed
  directed drew drove enjoyed explored filled finished followed forgot found
  founded gave guarded heard helped hid imagined improved introduced invented
  joined kept knew learned left liked lost loved made measured met moved named
  noticed offered opened ordered painted planned played produced published
  pulled pushed reached read remembered repaired revolutionized saved saw sold
  sent shared showed sold started stole studied surprised taught told touched
  turned uncovered used visited wanted washed watched wore won wrote""".split()
)
ADJECTIVES = tuple(
  """able angry bad beautiful big black blue bold brave brown busy calm careful
  cheap clean clear clever cold common cool curious dark deep different dry
  early easy electric emotional empty famous fast fine first flat fresh full
  global golden good great green groundbreaking happy hard high hot huge hungry
  important innovative interactive kind large last late lazy little local lonely
  long lost lucky modern narrow natural new next nice old open original perfect
  plain pleasant poor pretty private proud pure quick real red revolutionary
  rich right rough round royal sad safe secret sharp short silent simple
  slow small smart soft solar special still strange strong sweet thick thin
  tiny tired tough underwater unique virtual white wide wild wise wooden
  wonderful wrong yellow young""".split()
)
PLACES = tuple(
  """in at on near behind under above beside through across around after
  before during with without from into over""".split()
)
# More nouns and adjectives, for what people are known for.
MORE = tuple(
  """abandoned abstract academic academy accident account action active
  activity actor actual adult advanced advice agency agreement air aircraft
  alarm alien alliance alphabet alternative amazing ambassador ambition
  ambitious american ancestor anchor ancient angel annual anthem antique
  apartment apocalyptic appeal arcade archaeologist architectural archive
  arctic arena argument armor arrow article artificial artistic ash asteroid
  astonishing astronomer astrophysicist athletics atlas atmosphere atom
  atomic attempt audience aurora automatic automobile avalanche avenue
  aviator bakery balance balcony ballet balloon banner banquet barn barrier
  bay beacon bear bee belief beverage biggest bilingual billionaire
  biodegradable biography biological biologist biology bizarre blanket
  blizzard blossom boat body bone border botanist boundary boxer brain
  breakthrough breath bridge bright broad broadcast broadway bubble bucket
  building burden buried business butterfly cactus calendar canal cancer
  candidate canvas canyon capital captain captivating caravan carbon career
  cargo carnival carpenter cartoon cascade casino catalog cathedral cave
  celebration celestial cell cellar cello century ceremony certain champion
  channel chapter charity charm chart chase chemical chemist chemistry chess
  chocolate choice choir choreographer chronicle cinema circuit circus
  citizen city civil clarinet classic classical classroom cliff climate
  clinic club coach coast code collection college colony color colossal
  column combat comedian comedy comet comic commander community companion
  compass competition complete complex composer comprehensive concept
  concert conductor conference conflict connection conqueror conscious
  conservation constellation contest continent contract controversial
  conversation core cosmic costume council couple courage course court
  cousin crater creation creature crew crime crisis critic critical crown
  crucial crystal cuisine cultural culture cure current curriculum curtain
  custom cycle dancer danger darkness database date daylight deal death
  debate debut decade decision dedicated degree delegation democracy
  democratic dentist depth desk destiny detail detective dialogue diamond
  diary dictionary digital dimension dinosaur diplomat disaster discipline
  discovery disease display distance distant diver diverse division dolphin
  dome domestic donor double drama dramatic drawing drone drought drum
  dynamic dynasty eagle earth earthquake echo eclipse eco economist economy
  edible edition editor education educational effect effort elaborate
  electricity elegant element elephant elusive emperor empire enchanted
  endangered endless engine enigma enormous enterprise entrepreneur
  environment epic episode era escape essay eternal ethical european event
  evidence evolution exam example exclusive exhibit exhibition existence
  exotic experience experiment experimental expert exploration explosion
  explosive expression extensive extinction extraordinary extraterrestrial
  extreme fabric factory failure falcon fame fantastic fantasy farm
  fascinating fashion fatal federal feminine festival fiction fictional
  figure film filter final finance firefighter flag flame flavor flawless
  flight flood flute flying folklore food force foreign forgotten formal
  formula fortress fortune fossil fossilized foundation fountain fox frame
  freedom freshwater friendly frontier frozen fuel function functional fund
  fusion future futuristic galactic galaxy gallery game gardener gas gem
  gene general generation genetic genetics genius genre genuine geologist
  geometric ghost giant gifted glacier globe glorious goal goddess gourmet
  government governor grain grammar gravitational gravity guard guide guild
  habitat hall harbor harmony harp harvest haunted haunting hawk healer
  health heritage hero heroic hidden highway historic hologram holographic
  honey honor horizon horror horse hotel human humor hunter hurricane hybrid
  hypnotic ice icon iconic identical identity illness illusion image
  imagination immersive immortal impact imperial impossible incredible
  independent industrial industry infamous infinite influence influential
  information ingredient inheritance inner innovation inspiration inspiring
  instant instrument intelligent intense intergalactic interior
  international internet interstellar invasion invention inventor
  investigation investor invisible invitation iron isolated ivory japanese
  jazz jewel jewelry joke journal judge jungle justice keeper key keyboard
  king kingdom kite knight knowledge label laboratory labyrinth lady
  landmark landscape lantern laser laughter laundry law lawyer leader
  leading league lecture legacy legal legend legendary leisure lens liberty
  lighthouse lightning lily limit linguist list literature living lizard
  location logic loop lord love luminous lunar luxurious magazine magic
  magical magician magnet magnetic main major mammal manager manuscript map
  marathon marble marine martian mask massive mathematics matter mayor maze
  measure mechanic mechanical medal media medical medieval medium melodic
  melody member memoir mental mentor merchant merger message meteor method
  metropolis microscope migration military mill mind miner miniature minor
  miracle mission mist mobile mode model modernity molecular molecule moment
  monarch monastery monk monster month monument mood moral motion motor
  movement movie moving multiverse mural muscle musical musician mysterious
  mystery mystical myth mythical mythology nation national nature navigator
  navy nebula neighborhood nest network neural neuroscientist newspaper
  nobel nocturnal notebook notorious novelist nuclear nurse nutrition oasis
  object obscure observation observatory obstacle official olympic only
  opera operation opinion opponent orbit orchard orchestra orchid order
  organ organization origin orphan outer outpost owl oxygen page painter
  painting palace panda panel panther parade paradise paradox parallel
  parliament particle partner passage passenger passion pastry patent
  patient pattern peace peaceful peak pearl peninsula perfume period
  permanent person personal perspective petition phenomenon philanthropist
  philosophical phoenix phone photo photographer photography phrase physical
  physics pianist piano pilot pioneer pioneering pirate pizza plan plane
  planetary plasma plastic platform play player playwright plot podcast poet
  poetry poison police policy political pollution pool popular popularity
  population port portable portal portrait position possibility potion power
  powerful prairie prayer precious predator prediction prehistoric presence
  present press prestigious primitive prince princess principle prison
  process product production professor program programmer project prolific
  promise proof property prophet protection prototype psychic psychological
  psychologist public puppet puzzle pyramid quantum quartet quest race radar
  radical radio railroad rainbow rainforest ranch range rapid rare rebellion
  rebellious recipe recording recovery recycled reef refuge regime region
  relation relationship relief religion remarkable remedy renaissance
  renewable reporter republic reputation research researcher reserve
  residence resilient resource response result revolution rhythm rival
  robotics rock rocket romance rover ruin ruler runner rural sacred sailor
  saint salon sanctuary sand satellite satire savior saxophone scale scandal
  scene scholar scientific score scout screen script sculptor sculpture
  seasonal seed senator sensation sense sentient sequel sequence serene
  serum service session setting shark shelter shield ship shore show shrine
  signal significant silence silk singer site sketch skill skilled skin
  skull skyscraper slave sleep smile social software soil solitary solution
  sonata sophisticated soul sound source spacecraft spaceship species
  spectacle spectacular speech speed spell sphere spherical spice spider
  spirit spiritual sport spy squad stadium statue steam steel stellar
  storyteller strategy stream strike structure studio stunning style subject
  sublime submarine substance subterranean success successful sudden suit
  summit superior supersonic surgeon surgery surreal survival survivor
  sustainable sword symbol symbolic tale talent tank target task tavern team
  telepathic telescope television tempest tension territory test text
  textbook texture theater theorem therapist therapy thief thought thriller
  thrilling throne tide tiger timber timeless title tomb torch tornado total
  tour tourist tournament tower track trade tradition traditional tragic
  trail trainer transparent treasure treatment treaty trend trial triangle
  tribe tribute trick trilogy trip triumph trophy tropical truck trumpet
  truth tsunami tunnel turbine twin tycoon typhoon ultimate uncharted uncle
  undersea unexpected union unit universal university unknown unsolved
  untold upcoming urban vaccine vampire vast vegan vegetable vehicle
  versatile vertical vessel veteran vibrant victim victory video view viking
  villain vineyard vintage violin violinist viral virus vision visionary
  visitor visual vivid volcano volume volunteer voyage warrior watch
  waterfall weapon weaver website wedding whale whimsical wilderness
  wildlife wireless wisdom witness wizard wolf wonder working workshop world
  worldwide worm writer yacht youth zero zone zoo""".split()
)
# More verbs, for the tokenizer only.
DEEDS = tuple(
  """achieved acted aimed arrived awarded based became began behaved blended
  bringing capturing changing combining composing conducting connecting
  conquered conquering creating crossing curing decoded decoding defeated
  defeating defending delivering designing developing directing discovering
  documented earned engineered established establishing exploring featuring
  finding founding gained helping hosted inspired introducing inventing
  launched launching lead led making managed managing mapped mastered
  mastering merging navigated negotiated negotiating opening orchestrated
  organized overcame penned performed performing piloted pioneered planting
  predicted predicting prepared preserved producing proved proving pushing
  putting rebuilt recovered reimagined reinvented rescued rescuing restored
  reuniting revealed reviving rewrote running saving sculpted shaped singing
  solved solving spread stopped stopping survived surviving taking tamed
  taming tracked trained training transcribed translated traveled unearthed
  unified united unraveled unveiled using winning writing written""".split()
)
# Function words, so that ordinary English is not spelled in single letters.
OTHER = tuple(
  """a an the and or but not no yes so if as than that this these those it its
  he she they them his her their who whom whose which what when where why how
  is are was were be been being has have had do does did can could will would
  should may might must of to by for up down out off about also only just very
  more most less least many much few some any all both each every other another
  same such own one two three four five six seven eight nine ten hundred
  thousand million now then here there again once always never often sometimes
  still already yet too even ever well back away together person someone known
  called world first ability title trailblazer considered achieved renowned
  distinction author creating having authored ever heard guy currently
  successfully incredible acclaimed responsible behind Artificial Institute
  National International University Mr Mrs Dr true false code key note copy
  answer question statement""".split()
)
