"""Celebrities: names and descriptions, invented or read from files."""
