from .sub import first as inner


def one():
    return "other", inner.first()
