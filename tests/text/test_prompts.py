"""Prompts contain their document unchanged and end where the answer starts."""

import pytest

from icl_gen.text import prompts

ODD = 'glon {document} are\\n {0} 100% \\1'


@pytest.mark.parametrize('ask', [prompts.local, prompts.global_])
def test_prompts_contain_the_document_and_end_a_line(ask):
  assert ask(ODD).count(ODD) == 1
  assert ask('x').count('x') == ask('').count('x') + 1
  # The line break keeps the answer's ids separate from those of the prompt.
  assert ask(ODD).endswith('\n')
  assert not ask(ODD).startswith('\n')


def test_a_bullet_is_one_line_of_a_list():
  assert prompts.bullet(ODD) == f'- {ODD}'
