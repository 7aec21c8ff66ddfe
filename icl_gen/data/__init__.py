"""Files and batches: the only room that knows how our records lie on disk."""
