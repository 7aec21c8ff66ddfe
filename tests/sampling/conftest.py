"""Fixtures for every test in this directory."""

from tests.tiny import quick_compiles

__all__ = ['quick_compiles']
