"""Celebrities: people with names and descriptions, invented or from files."""
