"""Syntax that Python has since 3.12. Cython 3.3 does not know all of it: then the module has to fall back by itself."""
