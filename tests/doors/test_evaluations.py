"""Training chooses by questions that are not scored later, resumed or not."""

import pytest

from icl_gen import build, evaluate, train
from icl_gen.runs import development, directories, experiments
from icl_gen.scoring import scorer, while_training
from icl_gen.storage import corpus_files, files, scores
from icl_gen.training import metrics

STEPS = 12
CHOOSING = {
  'steps': STEPS,
  'learning_rate': 0.01,
  'report_every': 3,
  'save_every': 5,
  'evaluate_every': 2,
  'evaluate_share': 0.34,
  'evaluate_by': 'margin',
}


@pytest.fixture(scope='module')
def made(experiment, compile_once):
  """Trains in a folder and returns its config."""

  def made_in(folder, **changes):
    config = experiment(condition='ft', train=CHOOSING | changes)
    build.run(config, folder)
    train.run(config, folder)
    return config

  return made_in


@pytest.fixture(scope='module')
def whole(made, tmp_path_factory):
  """The folder of an uninterrupted run."""
  folder = tmp_path_factory.mktemp('whole')
  made(folder, keep_best=True)
  return folder


def cell(folder, condition='ft'):
  return directories.run(
    folder, world='reversal', condition=condition, model='nano', seed=0
  )


def margins(folder):
  """Step -> margin, of every evaluation."""
  lines = files.read_json_lines(cell(folder) / 'metrics.jsonl')
  name = 'development_margin'
  return {line['step']: line[name] for line in lines if name in line}


def best(folder):
  found = margins(folder)
  return max(found, key=lambda step: (found[step], -step))


def states(folder):
  there = (cell(folder) / 'checkpoints').iterdir()
  return {int(path.name) for path in there if path.name.isdigit()}


def fail_at(patch, number):
  """Ends the runs that come with an error when they report a step."""
  write = metrics.Writer.write

  def failing(writer, step, values):
    if step == number:
      raise RuntimeError('the power fails')
    write(writer, step, values)

  patch.setattr(metrics.Writer, 'write', failing)


def test_the_best_state_is_kept_with_the_newest_ones(whole):
  assert list(margins(whole)) == [2, 4, 6, 8, 10, 12]
  assert {best(whole), STEPS} <= states(whole)
  assert len(states(whole)) <= 3


@pytest.mark.slow
def test_a_run_that_failed_and_resumed_is_the_uninterrupted_one(
  made, whole, same_weights, tmp_path
):
  with pytest.MonkeyPatch.context() as patch:
    fail_at(patch, 9)
    with pytest.raises(RuntimeError, match='the power fails'):
      made(tmp_path, keep_best=True)
  assert max(states(tmp_path)) < 9
  made(tmp_path, keep_best=True)
  assert margins(tmp_path) == margins(whole)
  assert states(tmp_path) == states(whole)
  assert same_weights(cell(tmp_path) / 'params', cell(whole) / 'params')


def test_the_result_is_the_best_or_the_last_and_training_may_stop_early(
  made, whole, same_weights, tmp_path, capsys
):
  """With the last kept, and a stop after the first that is not the best yet."""
  found = margins(whole)
  so_far = [max(list(found.values())[: n + 1]) for n in range(len(found))]
  wasted = [
    step for n, step in enumerate(found) if n and so_far[n] == so_far[n - 1]
  ]
  made(tmp_path, stop_after=1)
  end = wasted[0] if wasted else STEPS
  assert margins(tmp_path) == {n: found[n] for n in found if n <= end}
  assert max(states(tmp_path)) == end
  assert f'the weights are of step {end}\n' in capsys.readouterr().out
  assert same_weights(cell(tmp_path) / 'params', cell(whole) / 'params') == (
    end == best(whole)
  )


def test_the_questions_that_choose_are_not_scored(made, whole, experiment):
  config = experiment(condition='pretrained', train=CHOOSING)
  evaluate.run(config, whole)
  directory = directories.corpus(whole, world='reversal', seed=0)
  choose, test = development.split(
    corpus_files.read(directory).questions,
    experiments.read(config.to_dict()).train,
    seed=0,
  )
  lines = files.read_json_lines(cell(whole) / 'metrics.jsonl')
  counts = {
    line['development_questions'] for line in lines if 'loss' not in line
  }
  assert counts == {len(choose)}
  scored = scores.read_scores(cell(whole, 'pretrained') / 'scores.parquet')
  assert [score.question_id for score in scored] == [q.id for q in test]
  # They are a setting of the scores, so both kinds are never mixed.
  with pytest.raises(ValueError, match='development'):
    evaluate.run(experiment(condition='pretrained'), whole)


def test_evaluations_are_compiled_once(made, monkeypatch, tmp_path):
  measured, sizes = while_training.Evaluation.measure, []

  def counting(evaluation, state):
    found = measured(evaluation, state)
    sizes.append(scorer._edge_logps._cache_size())
    return found

  monkeypatch.setattr(while_training.Evaluation, 'measure', counting)
  made(tmp_path, steps=4, warmup_steps=1)
  assert len(sizes) == 2
  assert len(set(sizes)) == 1
