"""A package, so that its fixtures, which replace 'nano', end with it."""
