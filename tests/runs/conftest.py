"""A bucket for tests."""

from tests.gcs import objects, server, url  # noqa: F401
