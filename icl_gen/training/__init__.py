"""Training: input, loss, optimizer, step and loop."""
