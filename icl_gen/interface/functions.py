"""The functions of the interface: few arguments, defaults for the rest."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from icl_gen import types
from icl_gen.augmentation import audit as audits
from icl_gen.augmentation import parse, plan
from icl_gen.interface.results import Audit, Inferences, Scores, World
from icl_gen.model import loading, sharding
from icl_gen.model.loading import Model
from icl_gen.runs import experiments, models
from icl_gen.runs.experiments import Training
from icl_gen.sampling import sampler
from icl_gen.scoring import scorer
from icl_gen.text import context as contexts
from icl_gen.text import prompts
from icl_gen.training import (
  fine_tuning,
  inputs,
  limits,
  loop,
)
from icl_gen.types import Document, Question
from icl_gen.worlds import catalog

# A document, or its text.
Text = str | Document


def load(
  name: str = 'nano',
  *,
  checkpoint: str = '',
  tokenizer: str = '',
  dtype: str = 'float32',
) -> Model:
  """Loads a model on JAX's default device; see `model.loading.load`.

  Args:
    name: 'nano', 'nano2' or 'nano_small', which are embedded, or e.g.
      'gemma3_1b'.
    checkpoint: directory of weights; '' for embedded ones.
    tokenizer: SentencePiece model; '' for the one next to the weights.
    dtype: of the weights and of computation.

  Raises:
    ValueError: an unknown name, or files that do not match it.
  """
  return loading.load(
    name, checkpoint=checkpoint, tokenizer=tokenizer, dtype=dtype
  )


def world(name: str, *, seed: int = 0, **size: Any) -> World:
  """Builds a world with its documents and questions.

  Args:
    name: e.g. 'reversal', 'syllogism', 'semantic'; 'custom' with `path` for a
      folder of your own documents.
    seed: of every random draw.
    **size: what differs from the size that nano can read in context, e.g.
      facts=20; see configs/worlds.py.

  Raises:
    ValueError: an unknown name, or impossible sizes.
  """
  drawn = catalog.definition(name).draws or name
  wanted = {**catalog.SIZES.get(drawn, {}).get('nano', {}), **size}
  truth, corpus = catalog.build(name, seed=seed, **wanted)
  return World(name, truth, corpus.documents, corpus.questions)


def question(
  prompt: str, choices: Sequence[str], *, answer: int = 0, kind: str = 'own'
) -> Question:
  """A multiple-choice question of your own.

  Args:
    prompt: the text before the choice.
    choices: continuations of the prompt, with their leading space.
    answer: index of the right one.
    kind: a label that accuracies are grouped by.

  Raises:
    ValueError: a choice is repeated, or there is none with that index.
  """
  return Question(
    id=f'{kind}: {prompt}',
    prompt=prompt,
    choices=tuple(choices),
    answers=(answer,),
    kind=kind,
  )


def score(
  model: Model,
  questions: Question | Sequence[Question],
  context: Sequence[Text] = (),
  *,
  seed: int = 0,
) -> Scores:
  """Scores every choice of every question by its log-probability.

  Args:
    model: from `load` or `finetune`.
    questions: one or more, with distinct ids.
    context: documents that the model reads before each question; they are
      encoded once for all of them.
    seed: of the order of the documents.

  Raises:
    ValueError: no questions, equal ids, or documents that the model has no room
      for.
  """
  asked = (questions,) if isinstance(questions, Question) else tuple(questions)
  before = _context(model, context, seed=seed)
  needed = contexts.summary(before, asked, model.tokenizer.count)['row_tokens']
  what = 'the longest question (with its context)'
  models.require_room(model.name, tokens=needed, what=what)
  return Scores(asked, scorer.score(model, asked, before))


def infer(
  model: Model,
  documents: Sequence[Text],
  *,
  kind: str = 'local',
  samples: int = 1,
  per_fact: int = 1,
  temperature: float = 0.7,
  max_tokens: int = 64,
  prompt: str = prompts.USUAL,
  seed: int = 0,
) -> Inferences:
  """Samples what a model infers from documents in its context.

  Args:
    model: from `load` or `finetune`.
    documents: one or more.
    kind: 'local' for prompts with one document each, 'global' for prompts that
      follow a context of all documents.
    samples: completions per document; each may have several lines.
    per_fact: how many of the documents that state the same facts the model is
      prompted with. (A text of your own has no known facts.)
    temperature: 0 for greedy sampling.
    max_tokens: maximum number of tokens of a completion.
    prompt: how the model is asked, 'continuation', 'instruction', 'question' or
      'terse'; see text/prompts.py.
    seed: of the draw.

  Raises:
    ValueError: no documents, an unknown kind or prompt, impossible numbers, or
      documents that the model has no room for.
  """
  given = _documents(documents)
  chosen = plan.choose(given, per_fact=per_fact, seed=str(seed))
  requests = plan.requests(chosen, kind=kind, samples=samples, wording=prompt)
  before = _context(model, given if kind == 'global' else (), seed=seed)
  longest = max_tokens + plan.longest(
    chosen, before, model.tokenizer.count, wording=prompt
  )
  models.require_room(
    model.name, tokens=longest, what='the longest prompt and what is sampled'
  )
  sampled = sampler.sample(
    model,
    [sampler.Request(request.name, request.prompt) for request in requests],
    sampler.encode_context(model, before),
    seed=str(seed),
    temperature=temperature,
    max_tokens=max_tokens,
  )
  completions = [completion for batch in sampled for completion in batch]
  parsed = parse.parse(
    [
      (request, completion.text, completion.ended)
      for request, completion in zip(requests, completions, strict=True)
    ],
    given=given,
    # `audit` reads and judges them.
    read=lambda text: None,
    judge=lambda facts: audits.Verdict('unverified'),
    fits=lambda text: True,
    details={'model': model.name, 'seed': str(seed)},
  )
  return Inferences(parsed.documents, parsed.dropped)


def audit(of: World | types.World, texts: Sequence[Text]) -> Audit:
  """Compares texts with everything that follows from a world's facts.

  Args:
    of: the world.
    texts: documents or texts; each is one statement or more.

  Raises:
    ValueError: one text in place of a list.
  """
  _require_several(texts)
  truth = of.truth if isinstance(of, World) else of
  read, judge = catalog.reader(truth), audits.auditor(truth)
  found = tuple(_text(one) for one in texts)
  return Audit(found, tuple(judge(read(text)) for text in found))


def finetune(
  model: Model,
  documents: Sequence[Text],
  *,
  steps: int = 300,
  seed: int = 0,
  report: Callable[[str], None] | None = print,
  **settings: Any,
) -> Model:
  """Fine-tunes a model on documents; the given model stays as it is.

  For runs that are saved and resumed, use `python -m icl_gen.train`.

  Args:
    model: from `load`.
    documents: what to train on, e.g. [*world.documents, *inferences].
    steps: number of steps.
    seed: of the order of the documents.
    report: called with a line every 50 steps; None: nothing is reported.
    **settings: further settings of `runs.experiments.Training`, e.g.
      learning_rate=1e-3, batch_size=16, lora_rank=8. `length`, the tokens of a
      row, follows from the longest document.

  Returns:
    the fine-tuned model.

  Raises:
    ValueError: no documents, or impossible settings.
    FloatingPointError: the loss is not finite.
    TypeError: an unknown setting.
  """
  defaults = {'length': 0, 'warmup_steps': min(20, steps)}
  train = Training(steps=steps, **{**defaults, **settings})
  experiments.require_allowed(
    dataclasses.asdict(train), block='train.', above=''
  )
  if train.evaluate_every:
    raise ValueError(
      f'evaluate_every={train.evaluate_every}: finetune has no questions; give'
      ' what it returns to `score`, or use `python -m icl_gen.train`'
    )
  limits.require_sensible(dataclasses.asdict(train), model=model.name)
  return _tuned(model, _documents(documents), train, seed=seed, report=report)


def _tuned(
  model: Model,
  documents: Sequence[Document],
  train: Training,
  *,
  seed: int,
  report: Callable[[str], None] | None,
) -> Model:
  one = jax.local_devices()[:1]
  devices = one if model.mesh is None else list(model.mesh.devices.flat)
  how = fine_tuning.make_plan(train, devices)
  # A step donates its state, which would take the given model's weights.
  params = jax.tree.map(jnp.copy, model.params)
  tuning = fine_tuning.start(model.module, params, train, how, seed=seed)
  rows = inputs.make(
    documents, model.tokenizer, train, model=model.name, seed=seed
  )

  def on_report(number: int, values: loop.Metrics) -> None:
    if report is not None:
      report(f'step {number}/{train.steps}  loss {values["loss"]:.4f}')

  state = loop.loop(
    tuning.state,
    rows,
    tuning.step,
    place=lambda batch: sharding.split_rows(how.mesh, batch),
    first_step=0,
    steps=train.steps,
    report_every=train.report_every,
    save_every=train.steps,
    on_report=on_report,
    on_save=lambda number, state: None,
  )
  return dataclasses.replace(model, params=tuning.weights(state))


def _documents(given: Sequence[Text]) -> tuple[Document, ...]:
  """Documents with distinct ids; a text gets its place as its id."""
  _require_several(given)
  if not given:
    raise ValueError('no documents; give one or more')
  return tuple(
    one if isinstance(one, Document) else Document(f'text-{place}', one)
    for place, one in enumerate(given)
  )


def _require_several(given: Sequence[Text]) -> None:
  if isinstance(given, str):
    raise ValueError(f'documents are a list of texts, not one text {given!r}')


def _text(one: Text) -> str:
  return one if isinstance(one, str) else one.text


def _context(
  model: Model, documents: Sequence[Text], *, seed: int
) -> contexts.Context:
  if not documents:
    return contexts.NONE
  return contexts.build(
    _documents(documents),
    seed=str(seed),
    count_tokens=model.tokenizer.count,
  )
