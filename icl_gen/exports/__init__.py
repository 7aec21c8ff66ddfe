"""Corpora in formats that other tools read."""
