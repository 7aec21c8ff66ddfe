"""The rules of the architecture, checked on the text of the sources.

A rule takes a module's dotted name and its source, and returns complaints.
"""

import ast
import pathlib
import re

import ml_collections

ROOT = pathlib.Path(__file__).parent.parent

# Imports go strictly down; within a room they never go up.
FLOORS = {
  'icl_gen.signals': 0,
  'icl_gen.processes': 0,
  'icl_gen.types': 0,
  'icl_gen.assets': 0,
  'icl_gen.text': 1,
  'icl_gen.reporting': 1,
  'icl_gen.worlds': 2,
  'icl_gen.storage': 2,
  'icl_gen.augmentation': 3,
  'icl_gen.pretraining': 3,
  'icl_gen.exports': 3,
  'icl_gen.runs': 3,
  'icl_gen.model': 4,
  'icl_gen.training': 5,
  'icl_gen.scoring': 5,
  'icl_gen.sampling': 5,
  'icl_gen.config_files': 4,
  'icl_gen.joining': 5,
  'icl_gen.workdirs': 5,
  'icl_gen.cli': 6,
  'icl_gen.compiling': 6,
  'icl_gen.interface': 6,
  'icl_gen.study': 8,  # The only one that may import doors.
}
DOOR = 7
# The rooms up to this floor never import JAX and its libraries.
LIGHT = 3

# Who may import a foreign library; the doors count as one room, as in 'doors'.
OWNERS = {
  'gemma': ('icl_gen.model',),
  'orbax': (
    'icl_gen.model.checkpoints',
    'icl_gen.training.states',
  ),
  'safetensors': (
    'icl_gen.model.peft_folder',
    'icl_gen.model.safetensors_folder',
  ),
  'tensorflow_datasets': (
    'icl_gen.storage.tfds_files',
    'icl_gen.exports.tfds_builders',
  ),
  'grain': ('icl_gen.training.batches',),
  'matplotlib': ('icl_gen.reporting',),
  'pandas': ('icl_gen.reporting', 'icl_gen.interface.results'),
  'scipy': ('icl_gen.reporting',),
  'absl': ('icl_gen.cli', 'doors', 'configs', 'launch'),
  'ml_collections': (
    'icl_gen.cli',
    'icl_gen.config_files',
    'doors',
    'configs',
    'launch',
  ),
  'rich': ('launch.table',),
  'xmanager': ('launch.xm_script',),
  # Only there do texts become ids.
  'sentencepiece': (
    'icl_gen.text.tokens',
    'icl_gen.text.controls',
    'icl_gen.pretraining.vocabulary',
    'icl_gen.exports.hugging_face_tokenizer',  # Writes pieces, encodes none.
  ),
  'filelock': ('icl_gen.storage.locks',),
  'tensorstore': ('icl_gen.storage.objects',),
  'rank_bm25': ('icl_gen.text.retrieval',),
  'lm_eval': ('icl_gen.scoring.lm_eval_model',),
}
# What the light floors never import; tfds and grain have OWNERS.
HEAVY = {'jax', 'jaxlib', 'flax', 'optax', 'orbax', 'gemma', 'tensorflow'}
# What doors import with their work, not at the top; neither do they what is
# heavy.
LATE = {'grain', 'matplotlib', 'pandas', 'scipy', 'tensorflow_datasets'}
# What nothing imports before it is used: it takes seconds.
SLOW = {'tensorflow', 'keras', 'sklearn', 'kauldron.train', 'transformers'}

_NOUNS = {'manager', 'helper', 'handler', 'processor', 'util'}
FORBIDDEN = _NOUNS | {f'{noun}s' for noun in _NOUNS} | {'setup'}
FORBIDDEN_FILES = FORBIDDEN | {'common', 'base', 'misc'}
FORBIDDEN_VERBS = {'get', 'process', 'handle', 'do', 'manage'}


def sources(*folders):
  """Dotted module name -> source, of every Python file under the folders."""
  return {
    '.'.join(path.relative_to(ROOT).with_suffix('').parts).removesuffix(
      '.__init__'
    ): path.read_text('utf-8')
    for folder in folders
    for path in sorted((ROOT / folder).rglob('*.py'))
  }


def floor(name):
  """The floor of one of our modules, or of a name in it."""
  parts = name.split('.')
  if parts == ['icl_gen']:
    return 0
  inner, outer = '.'.join(parts[:3]), '.'.join(parts[:2])
  return FLOORS.get(inner, FLOORS.get(outer, DOOR))


def is_door(module):
  return re.fullmatch(r'icl_gen\.\w+', module) and floor(module) >= DOOR


def imported(source):
  """Dotted names of all imports, at the top or inside functions."""
  names = []
  for node in ast.walk(ast.parse(source)):
    if isinstance(node, ast.Import):
      names += [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
      above = '.' * node.level + (node.module or '')
      names += [f'{above}.{alias.name}' for alias in node.names]
  return names


def floor_complaints(module, source):
  room, here = '.'.join(module.split('.')[:2]), floor(module)
  if module.count('.') > 1 and room not in FLOORS:
    return [f'{module} is on no floor; add {room} to FLOORS']
  complaints = []
  for name in imported(source):
    top = name.split('.')[0]
    if name.startswith('.'):
      complaints.append(f'{module} imports {name}; name it in full')
    elif top == 'icl_gen' and name != 'icl_gen':
      if in_room(name, 'icl_gen.cli'):
        if not is_door(module):
          complaints.append(f'{module} imports cli, which serves doors only')
      elif module == 'icl_gen' and in_room(name, 'icl_gen.interface'):
        pass  # Imported when it is used: a test sees that nothing else is.
      elif floor(name) > here:
        complaints.append(f'{module} imports {name}, which is above it')
      elif floor(name) == here and not in_room(name, room):
        complaints.append(
          f'{module} imports {name}, which is on the same floor'
        )
    elif here <= LIGHT and top in HEAVY:
      complaints.append(
        f'{module} is on floor {here}, which must not import {top}'
      )
  return complaints


def in_room(name, room):
  if room == 'doors':
    return is_door(name)
  return f'{name}.'.startswith(f'{room}.')


def owner_complaints(module, source):
  complaints = []
  for name in imported(source):
    top = name.split('.')[0]
    if not any(in_room(module, room) for room in OWNERS.get(top, (module,))):
      complaints.append(f'{module} imports {top}; only {OWNERS[top]} may')
  return complaints


def except_complaints(module, source):
  broad = {'Exception', 'BaseException'}
  return [
    f'{module}:{node.lineno} catches everything'
    for node in ast.walk(ast.parse(source))
    if isinstance(node, ast.ExceptHandler)
    and (
      node.type is None
      or broad & {getattr(n, 'id', '') for n in ast.walk(node.type)}
    )
  ]


def call_complaints(module, source):
  """Imports by string, and config keys by string, cannot be checked here."""
  forbidden = {'import_module', '__import__'}
  if is_door(module):
    forbidden |= {'get', 'getattr', 'hasattr'}
  return [
    f'{module}:{node.lineno} calls {called}'
    for node in ast.walk(ast.parse(source))
    if isinstance(node, ast.Call)
    and (
      called := getattr(node.func, 'attr', '') or getattr(node.func, 'id', '')
    )
    in forbidden
  ]


def length_complaints(module, source):
  return [
    f'{module}.{node.name} has {lines} lines, over 80'
    for node in ast.walk(ast.parse(source))
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    and (lines := node.end_lineno - node.lineno + 1) > 80
  ]


def length_warnings(module, source):
  """Files that may hold two jobs. Split them at a seam, not at the number."""
  allowed = 120 if is_door(module) else 400
  lines = source.count('\n')
  return [f'{module} has {lines} lines, over {allowed}'] * (lines > allowed)


_TAKE_CONFIGS = ('icl_gen', 'icl_gen.cli', 'icl_gen.config_files')


def config_complaints(module, source):
  """Configs stop at the doors: rooms take arguments, or typed records."""
  if is_door(module) or module in _TAKE_CONFIGS:
    return []
  return [
    f'{module}.{node.name} takes a config'
    for node in ast.walk(ast.parse(source))
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    and any(
      argument.arg == 'config'
      or argument.annotation
      and 'ConfigDict' in ast.unparse(argument.annotation)
      for argument in _arguments(node)
    )
  ]


def annotation_complaints(module, source):
  """Public functions and methods annotate every argument and what they return.

  Public is what has no leading underscore, at the top of a module or in a
  public class there. `__init__` needs no return annotation.
  """
  if module.split('.')[0] != 'icl_gen':
    return []
  complaints = []
  for owner, node in _public_functions(ast.parse(source)):
    name = f'{module}.{owner}{node.name}'
    arguments = _arguments(node)
    static = any(
      getattr(d, 'id', '') == 'staticmethod' for d in node.decorator_list
    )
    if owner and not static:
      arguments = arguments[1:]  # self, or cls
    complaints += [
      f'{name}: {argument.arg} has no annotation'
      for argument in arguments
      if argument.annotation is None
    ]
    if node.returns is None and node.name != '__init__':
      complaints.append(f'{name} has no return annotation')
  return complaints


def _public_functions(tree):
  """(prefix of the name, function) of every public function and method."""
  functions = ast.FunctionDef | ast.AsyncFunctionDef
  for node in tree.body:
    if isinstance(node, functions) and not node.name.startswith('_'):
      yield '', node
    if isinstance(node, ast.ClassDef) and not node.name.startswith('_'):
      for method in node.body:
        if isinstance(method, functions) and (
          method.name == '__init__' or not method.name.startswith('_')
        ):
          yield f'{node.name}.', method


def _arguments(function):
  given = function.args
  more = [a for a in (given.vararg, given.kwarg) if a is not None]
  return [*given.posonlyargs, *given.args, *given.kwonlyargs, *more]


def name_complaints(module, source):
  complaints = []
  if bad := FORBIDDEN_FILES & set(re.split(r'[._]', module)):
    complaints.append(f'{module} is called {bad}')
  tree = ast.parse(source)
  # Not methods: names of those that override are not ours to choose.
  methods = {
    id(child)
    for node in ast.walk(tree)
    if isinstance(node, ast.ClassDef)
    for child in node.body
  }
  for node in ast.walk(tree):
    if isinstance(node, ast.ClassDef):
      words = re.findall(r'[A-Z]?[a-z0-9]+', node.name)
    elif isinstance(node, ast.FunctionDef) and id(node) not in methods:
      words = node.name.strip('_').split('_')
      if words[0] in FORBIDDEN_VERBS and node.name != 'get_config':
        complaints.append(f'{module}.{node.name} begins with {words[0]}')
    else:
      continue
    if bad := FORBIDDEN & {word.lower() for word in words}:
      complaints.append(f'{module}.{node.name} is called {bad}')
  return complaints


class KeysRead(ast.NodeVisitor):
  """Dotted keys of a config that a source reads, `config.a.b` being 'a.b'.

  `train = config.train` reads nothing by itself, but `train.steps` afterwards
  reads 'train.steps'. A block that is passed on is read as a whole. A config's
  typed records, named as in RECORDS, are read as the config is.
  """

  RECORDS = ('config', 'experiment', 'study')

  def __init__(self, source):
    self.blocks = dict.fromkeys(self.RECORDS, '')
    self.keys = set()
    self.visit(ast.parse(source))

  def key(self, node):
    if isinstance(node, ast.Name):
      return self.blocks.get(node.id)
    if isinstance(node, ast.Attribute):
      above = self.key(node.value)
      return None if above is None else f'{above}.{node.attr}'.lstrip('.')
    return None

  def visit_Assign(self, node):
    key = self.key(node.value)
    if key and isinstance(node.targets[0], ast.Name):
      self.blocks[node.targets[0].id] = key
    else:
      self.generic_visit(node)

  def visit_Call(self, node):
    # config.world.items() reads the block 'world', not a key 'items' in it.
    method = isinstance(node.func, ast.Attribute) and self.key(node.func)
    self.visit(node.func.value if method else node.func)
    for argument in [*node.args, *node.keywords]:
      self.visit(argument)

  def visit_Attribute(self, node):
    if key := self.key(node):
      self.keys.add(key)
    else:
      self.generic_visit(node)

  def visit_Name(self, node):
    if key := self.key(node):
      self.keys.add(key)


def unread(keys, read):
  """The keys of a config that nothing reads, alone or with their block."""
  return [k for k in keys if not any(in_room(k, r) for r in read)]


def leaves(config, above=''):
  """Dotted key and type of every value in a config."""
  for name in config:
    if isinstance(config[name], ml_collections.ConfigDict):
      yield from leaves(config[name], f'{above}{name}.')
    else:
      yield f'{above}{name}', config.get_type(name)
