"""``.resource`` archives: the data files of a package, in chunks that the next version shares (spec 7)."""
