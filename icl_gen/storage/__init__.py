"""Corpora and scores on disk; the only room that knows how they are stored."""
