"""Frozen values that cross the floors, and pure rules over them."""
