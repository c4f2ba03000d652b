"""Packages of a project: their names, and how they are added, removed and ordered."""
