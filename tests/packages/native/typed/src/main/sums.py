"""Python as anybody writes it; what its types are in C stands in sums.pxd."""


def square(x):
    return x * x


def total(n):
    result = 0
    for i in range(n):
        result += square(i)
    return result


def scaled(x):
    return scale(x)


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def norm(self):
        return square(self.x) + square(self.y)
