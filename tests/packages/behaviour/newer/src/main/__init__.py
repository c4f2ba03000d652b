"""Syntax that Python has since 3.12. Cython 3.3 knows none of it: every module here has to fall back by itself."""
