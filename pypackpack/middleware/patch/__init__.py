"""Patches: what is a primary, what turns it into a newer wheel, and what becomes of it."""
