"""Derivatoids: a transform of functions by rules shown only by example."""
