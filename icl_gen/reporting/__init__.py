"""What we tell: statistics, tables, figures and one page from finished cells.

Knows no model and no file of another stage; runs on a laptop without JAX.
"""
