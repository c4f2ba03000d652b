"""Projects: their settings, and how they are found, read, made and changed."""
