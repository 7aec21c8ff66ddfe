"""A package, so that its fixtures, which replace the nano, end with it."""
