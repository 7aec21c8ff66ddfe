"""What the table of peers says follows from the facts of both steps."""

import pytest

from tests.bench import compiled_peers, peer_steps

OURS = {
  'compile_seconds': 3.0,
  'hbm_bytes': 16 * 2**30,
  'argument_bytes': 2**30,
  'temporary_bytes': 2 * 2**30,
  'total_bytes': 3 * 2**30,
  'fits': True,
  'estimated_cycles': 300 * 10**6,
}
PEER = OURS | {
  'temporary_bytes': 8 * 2**30,
  'estimated_cycles': 800 * 10**6,
  'attention_cycles': 200 * 10**6,
}
REFUSED = {
  'compile_seconds': 3.0,
  'fits': False,
  'refusal': 'RESOURCE_EXHAUSTED: Used 20.5G of 15.7G hbm',
}


def test_kernels_count_in_both_or_in_neither():
  """Ours has no cycles of attention, so those of the peer stand for them."""
  assert compiled_peers.shares(OURS, PEER) == ['0.50', '0.62', '0.25']


def test_a_peer_that_does_not_fit_has_no_shares():
  ours, peer = compiled_peers.lines('m', 'v5e:2x2', 8, OURS, [('x', REFUSED)])
  assert '300 M and kernels' in ours
  assert 'does not fit: 20.5 of 15.7 GiB' in peer
  head = compiled_peers.table([ours, peer]).splitlines()
  assert len({line.count('|') for line in head}) == 1


@pytest.mark.parametrize(
  ('peer', 'operation', 'counts'),
  [
    ('kauldron', 'L/attn/BTNH,BSNH->BTNS/dot_general', True),
    ('kauldron', 'L/attn/exp', True),
    ('kauldron', 'L/attn/q_einsum/BTD,NDH->BTNH/dot_general', False),
    ('kauldron', 'L/mlp/mul', False),
    ('tunix', 'L/checkpoint/attention/BTNS,BSNH->BTNH/dot_general', True),
    ('tunix', 'L/attention/rope/mul', True),
    ('tunix', 'L/attention/BTNH,NHD->BTD/dot_general', False),
    ('tunix', 'L/feed_forward/dot_general', False),
  ],
)
def test_attention_is_what_lies_between_its_projections(
  peer, operation, counts
):
  assert bool(peer_steps.ATTENTION[peer].search(operation)) == counts
