"""From sources to compiled modules."""
