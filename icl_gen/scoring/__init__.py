"""Log-likelihoods of choices, behind a context that is encoded once."""
