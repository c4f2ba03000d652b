"""Excluded by the settings."""

from whole.first import Point

LEFT = repr(Point(3))
