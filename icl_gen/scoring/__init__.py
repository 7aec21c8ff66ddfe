"""Log-likelihoods of choices, after a context that is encoded once."""
