"""How corpora and scores are stored on disk."""
