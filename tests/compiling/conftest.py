"""Fixtures that every test of this folder uses."""

from tests.tiny import quick_compiles

__all__ = ['quick_compiles']
