"""Dependencies of packages: what markers can say, and how lines grow and shrink."""
