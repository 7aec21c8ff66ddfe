"""Runs: settings, directories, resume, and the jobs of a study."""
