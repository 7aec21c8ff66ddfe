"""What every test of this room is given."""

from tests.tiny import quick_compiles

__all__ = ['quick_compiles']
