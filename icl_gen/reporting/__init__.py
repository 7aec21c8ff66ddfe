"""Statistics, tables, figures and one HTML page from finished cells."""
