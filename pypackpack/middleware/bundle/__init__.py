"""Bundles: from compiled files to wheels and folders."""
