"""The adapter gives lm-evaluation-harness the scores of our own scorer.

The slow test runs the real evaluator; it needs `make lm-eval`.
"""

import collections
import dataclasses

import numpy as np
import pytest

from icl_gen.exports import lm_eval_tasks
from icl_gen.reporting import statistics
from icl_gen.scoring import lm_eval_model, scorer
from icl_gen.text import context as contexts
from icl_gen.types import Corpus, Document, Question
from tests import tiny

Request = collections.namedtuple('Request', 'args')


def tiny_nano():
  """A tiny model by a name whose longest rows are known."""
  return dataclasses.replace(tiny.model(), name='nano')


QUESTIONS = (
  Question('q1', 'The femp is', (' more', ' less', ' more so'), (1,), 'far'),
  Question('q2', 'All glon', (' are', ' are troff', ' are blue.'), (0,), 'far'),
  Question('q3', 'The fem', ('p is', ' is'), (0, 1), 'near'),
  Question('q4', '', ('Some glon are troff', 'No glon'), (1,), 'near'),
  Question('q5', 'A: yes\n- B:', ('yes', '\nno'), (0,), 'near'),
)
DOCUMENTS = (
  Document('a', 'The glon is more dangerous than the femp.'),
  Document('b', 'No troff are able to sing.\nAll femp are blue.'),
)
CONTEXT = contexts.build(DOCUMENTS, seed='context')


def whole(question, context):
  """The context as the harness passes it."""
  return context.text + contexts.tail(context, question.prompt)


def requests(questions, context):
  return [
    Request((whole(question, context), choice))
    for question in questions
    for choice in question.choices
  ]


def logps(scores):
  return [choice.logp for score in scores for choice in score.choices]


@pytest.mark.parametrize('context', [contexts.NONE, CONTEXT], ids=str)
def test_requests_get_the_scores_of_our_scorer(context):
  model = tiny_nano()
  asked = requests(QUESTIONS, context)
  found = lm_eval_model.HarnessModel(model).loglikelihood(asked)
  expected = logps(scorer.score(model, QUESTIONS, context))
  assert [logp for logp, _ in found] == pytest.approx(expected, abs=1e-4)


def test_order_and_repetition_do_not_matter():
  model = lm_eval_model.HarnessModel(tiny_nano())
  closed, open_ = (requests(QUESTIONS, c) for c in (contexts.NONE, CONTEXT))
  expected = [*model.loglikelihood(closed), *model.loglikelihood(open_)]
  found = model.loglikelihood([*open_, *closed, *open_][::-1])[::-1]
  found = found[len(open_) :]
  assert [logp for logp, _ in found] == pytest.approx(
    [logp for logp, _ in expected], abs=1e-4
  )
  assert model.loglikelihood([]) == []


def test_split_inverts_the_format_of_our_exports():
  for question in QUESTIONS[:4]:
    shared, prompt = lm_eval_model.split(whole(question, CONTEXT))
    assert (shared.text, prompt) == (CONTEXT.text, question.prompt)
  for question in QUESTIONS:
    for context in (contexts.NONE, CONTEXT):
      text = whole(question, context)
      shared, prompt = lm_eval_model.split(text)
      assert shared.text + contexts.tail(shared, prompt) == text
  for text in ('', '- a prompt', 'a\nb', 'a\n-b'):
    assert lm_eval_model.split(text) == (contexts.NONE, text)


def test_equal_contexts_are_encoded_once(monkeypatch):
  texts, score = [], scorer.score

  def counted(model, questions, context):
    texts.append([one.text for one in context])
    return score(model, questions, context)

  monkeypatch.setattr(scorer, 'score', counted)
  asked = requests(QUESTIONS[:4], CONTEXT)
  lm_eval_model.HarnessModel(tiny_nano()).loglikelihood(asked)
  assert texts == [[CONTEXT.text] * 4]  # One question per prompt.


def test_rolling_scores_a_whole_text_after_bos():
  model = lm_eval_model.HarnessModel(tiny_nano())
  texts = ['The glon is more dangerous.', 'No troff\n- sing.']
  found = model.loglikelihood_rolling([Request((text,)) for text in texts])
  for text, logp in zip(texts, found, strict=True):
    ids = np.int32([2, *tiny_nano().tokenizer.encode(text)])
    assert logp == pytest.approx(tiny.logps('gemma3', ids).sum(), abs=1e-4)


def test_a_row_longer_than_those_of_training_is_refused():
  model = lm_eval_model.HarnessModel(tiny_nano())
  long = Request(('The glon is' + ' blue' * 3072, ' red.'))
  with pytest.raises(
    ValueError, match="more than the 3,072 that 'nano'.*tasks"
  ):
    model.loglikelihood([long])
  with pytest.raises(
    ValueError, match="more than the 3,072 that 'nano'.*tasks"
  ):
    model.loglikelihood_rolling([Request((long.args[0],))])


def test_above_one_half_is_greedy(monkeypatch):
  monkeypatch.setattr(lm_eval_model, 'log_likelihoods', lambda m, p: [-0.6, -1])
  model = lm_eval_model.HarnessModel(tiny_nano())
  assert model.loglikelihood([]) == [(-0.6, True), (-1, False)]


def test_generation_is_refused():
  model = lm_eval_model.HarnessModel(tiny_nano())
  with pytest.raises(NotImplementedError, match='2 requests.*multiple_choice'):
    model.generate_until([Request(('a', {})), Request(('b', {}))])


@pytest.mark.slow
@pytest.mark.filterwarnings('default')  # the harness and its dependencies warn
def test_the_harness_computes_our_accuracies(tmp_path, monkeypatch):
  lm_eval = pytest.importorskip('lm_eval')
  import datasets
  from lm_eval.tasks import TaskManager

  monkeypatch.setattr(datasets.config, 'HF_DATASETS_CACHE', tmp_path / 'cache')
  model = tiny_nano()
  corpus = Corpus('Small world', DOCUMENTS, QUESTIONS)
  lm_eval_tasks.write(tmp_path / 'e', corpus, CONTEXT)
  forms = {'icl_gen': contexts.NONE, 'icl_gen_in_context': CONTEXT}
  results = lm_eval.simple_evaluate(
    lm_eval_model.HarnessModel(model),
    tasks=[f'{form}_small_world' for form in forms],
    task_manager=TaskManager(
      include_path=str(tmp_path / 'e'), include_defaults=False
    ),
    bootstrap_iters=0,
  )
  for form, context in forms.items():
    for kind in ('far', 'near'):
      task = f'{form}_small_world_{kind}'
      asked = [q for q in QUESTIONS if q.kind == kind]
      scores = scorer.score(model, asked, context)
      rows = sorted(results['samples'][task], key=lambda row: row['doc_id'])
      assert [row['doc']['id'] for row in rows] == [q.id for q in asked]
      found = [logp for row in rows for logp, _ in row['filtered_resps']]
      assert found == pytest.approx(logps(scores), abs=1e-4)
      # The harness counts a leading space as a character; not all have one.
      metrics = {'acc': 'sum'} | (
        {'acc_norm': 'character'} if kind == 'far' else {}
      )
      for metric, normalisation in metrics.items():
        right = [statistics.correct(score, normalisation) for score in scores]
        assert results['results'][task][f'{metric},none'] == pytest.approx(
          sum(right) / len(right)
        )


def test_without_the_harness_one_line_says_how_to_get_it(monkeypatch, capsys):
  monkeypatch.setattr(lm_eval_model, 'LM', object)
  with pytest.raises(SystemExit) as ended:
    lm_eval_model.main()
  assert ended.value.code == 2
  assert capsys.readouterr().err == (
    'error: lm_eval is missing: run `make lm-eval`\n'
  )
