"""Found by the folder above."""

VALUE = __name__
__file__ = "set by its own code"
