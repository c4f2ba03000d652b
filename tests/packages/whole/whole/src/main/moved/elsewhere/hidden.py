"""Found by the folder above."""

VALUE = __name__
