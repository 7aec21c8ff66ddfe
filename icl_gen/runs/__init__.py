"""Runs: their directories, their settings, and the stages of a study."""
