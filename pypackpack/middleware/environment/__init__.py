"""Target environments: locks, and folders that are exactly what these say."""
