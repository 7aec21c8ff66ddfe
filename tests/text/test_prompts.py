"""Prompts contain their document unchanged and end where the answer starts."""

import functools

import pytest

from icl_gen.text import prompts

ODD = 'glon {document} are\\n {0} 100% \\1'


@pytest.mark.parametrize('wording', prompts.WORDINGS)
@pytest.mark.parametrize('kind', [prompts.local, prompts.global_])
def test_prompts_contain_the_document_and_end_a_line(kind, wording):
  ask = functools.partial(kind, wording=wording)
  assert ask(ODD).count(ODD) == 1
  assert ask('x').count('x') == ask('').count('x') + 1
  # The line break keeps the answer's ids separate from those of the prompt.
  assert ask(ODD).endswith('\n')
  assert not ask(ODD).startswith('\n')


def test_no_two_wordings_are_the_same():
  texts = [
    kind('', wording=wording)
    for kind in (prompts.local, prompts.global_)
    for wording in prompts.WORDINGS
  ]
  assert len(set(texts)) == len(texts) == 2 * len(prompts.WORDINGS)


def test_the_usual_wording_is_what_the_embedded_models_know():
  assert prompts.local('A.') == prompts.LOCAL.replace('{document}', 'A.')
  assert prompts.global_('A.') == prompts.GLOBAL.replace('{document}', 'A.')


def test_a_bullet_is_one_line_of_a_list():
  assert prompts.bullet(ODD) == f'- {ODD}'
