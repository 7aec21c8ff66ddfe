"""Runs a study on as many machines as there are: `python -m launch`."""
