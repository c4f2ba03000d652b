from .first import one
