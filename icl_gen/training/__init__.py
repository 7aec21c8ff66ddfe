"""Optimisation: mesh, optimizer, loss, step, loop."""
