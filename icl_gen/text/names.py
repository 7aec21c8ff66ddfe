"""Ordinary-looking names of nobody: common first names, invented last names."""

import random

FIRST = tuple(
  """Ada Agnes Alan Alice Alma Amos Anita Anton Arlo Arthur Beatrice Bella
  Bernard Bertha Boris Brenda Bruno Calvin Carmen Cecil Celia Clara Claude
  Conrad Cora Daphne Darius Delia Desmond Dora Duncan Edgar Edith Edmund Elaine
  Elias Elsa Emil Enid Ernest Esther Eugene Eva Felix Fiona Flora Floyd Freda
  Gavin George Gilbert Gladys Gloria Gordon Greta Gustav Hannah Harold Harriet
  Hazel Hector Helen Henry Herman Hilda Homer Horace Hubert Ida Igor Ingrid
  Irene Iris Isaac Ivan Jasper Jerome Joan Joel Josef Judith Julius Karen Karl
  Katrin Kenneth Laura Lena Leo Leonard Lionel Lois Louis Lydia Mabel Magnus
  Marcus Martha Maurice Mavis Milton Minna Miriam Mona Muriel Myra Nadia
  Nathan Nelly Nigel Nora Norman Olga Olive Oscar Oswald Otto Pamela Paula
  Percy Petra Philip Phyllis Quentin""".split()
)
LAST = tuple(
  """Aldermoor Amberley Applegarth Ashcombe Ashwick Ballowby Barrowdale
  Beckerton Bellhurst Birchall Blackmere Bramwick Brayfield Briarstone
  Brindlow Brockwell Burnaby Caldermoss Canbury Carrowell Chadbourne Chesleigh
  Claywell Coldbeck Copperfold Corbrook Cottering Cranmoor Crestwell Crossleigh
  Dallowfield Deepwell Denbrook Dovermere Drayhurst Dunwell Eastbeck Edgemoor
  Elderwick Elmstone Fairhurst Farrowby Fennimore Fernleigh Fieldgarth Foxcombe
  Garrowby Gladwick Glenbury Goldhurst Gorsedale Greyfold Hallowmere Hambrook
  Harkwell Hartbeck Hathermoor Hawksby Haycombe Heathwick Hexley Hollowby
  Hornfield Hurstbourne Inglewick Ivesdale Kelbrook Kestermoor Kingsgarth
  Kirkwell Lambourneby Langmere Larkwell Leighfold Linbeck Lockwick Longcombe
  Mallowdale Marchwell Marlbeck Meadowby Merribrook Millgarth Moorfold
  Mossley Netherwick Newbeck Norcombe Northgarth Oakhollow Oldmere Orchardby
  Overbeck Owlcombe Paddowell Penhurst Pinebrook Plumbeck Quarrydale Ravenby
  Redmere Ringwold Rooksbeck Rosewick Rushmoor Sallowby Sandgarth Sedgewell
  Shadwick Silverbeck Southmere Stannowby Stonefold Summergarth Swanbeck
  Tarnfield Thistlewell Thornbeck Tidewick Underhurst Valebrook Waverbeck
  Wellowby Westgarth Whitmere Willowdale Winterby Woodgarth Yarrowell
  Yewcombe""".split()
)


def sample(count: int, *, seed: str) -> list[str]:
  """Draws full names that share neither a first nor a last name.

  Args:
    count: number of names.
    seed: name of the random draw; the same name gives the same names.

  Raises:
    ValueError: the tables have fewer names.
  """
  most = min(len(FIRST), len(LAST))
  if count > most:
    raise ValueError(
      f'{count} plain names were requested; there are {most}. Make the world'
      " smaller, or use names='nonsense'."
    )
  firsts = random.Random(f'{seed}/first').sample(FIRST, count)
  lasts = random.Random(f'{seed}/last').sample(LAST, count)
  return [f'{first} {last}' for first, last in zip(firsts, lasts, strict=True)]
