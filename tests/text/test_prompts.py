"""Prompts hold their document as it is, and end where an answer starts."""

import pytest

from icl_gen.text import prompts

ODD = 'glon {document} are\\n {0} 100% \\1'


@pytest.mark.parametrize('ask', [prompts.local, prompts.global_])
def test_prompts_hold_the_document_and_end_a_line(ask):
  assert ask(ODD).count(ODD) == 1
  assert ask('x').count('x') == ask('').count('x') + 1
  # The nano model reads a context's last line break apart from what follows.
  assert ask(ODD).endswith('\n')
  assert not ask(ODD).startswith('\n')


def test_a_bullet_is_one_line_of_a_list():
  assert prompts.bullet(ODD) == f'- {ODD}'
