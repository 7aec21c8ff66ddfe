"""In-context augmentation: which prompts to sample, and what came of them."""
