"""Targets: their table, names, and how packages get and lose them."""
