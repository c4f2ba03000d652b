"""Which Python a project works with, and which ones a package is built for."""
