"""Words in, words out: what a person or another program says to us."""
