"""Kills, damage, pairs of commands and hostile input, drawn at random.

  make chaos ARGS="--rounds=1000 --seed=0"

Every round disturbs a copy of a small finished study (reference.py) and is
judged (judge.py): `identical` to the undisturbed study in the end, `refused` in
one line whose remedy works, or a `failure`, which is kept with all that was
done.
"""
