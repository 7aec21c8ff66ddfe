"""Gemma models: loading, forward passes, prefixes, checkpoints, sharding."""
