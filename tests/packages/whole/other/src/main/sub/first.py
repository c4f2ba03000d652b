def first():
    return __name__
