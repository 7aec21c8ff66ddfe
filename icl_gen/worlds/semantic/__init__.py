"""Categories: a taxonomy in nonsense words."""
