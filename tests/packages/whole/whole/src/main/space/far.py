"""In a folder without a module of its own."""

from whole.sub.deeper import first

FAR = first.__name__
