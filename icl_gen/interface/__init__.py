"""The project as a Python library, `import icl_gen as ig`: docs/python.md."""
