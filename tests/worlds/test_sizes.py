"""Sizes that are no numbers, or too small or large, are errors that say so."""

import math

import pytest

from icl_gen.worlds import sizes


@pytest.mark.parametrize('count', [0, -1, 2.5, '3', None, sizes.MOST + 1])
def test_counts_are_whole_numbers_from_one(count):
  sizes.require_positive('w', facts=1, others=sizes.MOST)
  with pytest.raises(ValueError, match=f'w with facts={count!r}; '):
    sizes.require_positive('w', facts=count)


@pytest.mark.parametrize('value', [0.4, 2, '1', math.nan, None])
def test_values_are_numbers_in_their_range(value):
  sizes.require_between('w', least=0.5, most=1.5, share=1)
  with pytest.raises(ValueError, match='w with share=.*; allowed is 0.5 to'):
    sizes.require_between('w', least=0.5, most=1.5, share=value)
