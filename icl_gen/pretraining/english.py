"""A few hundred English words for filler sentences and wordy descriptions."""

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
# Small words so that ordinary English is not spelled in single letters.
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
