"""Data files: targets, facts, pins, templates."""
