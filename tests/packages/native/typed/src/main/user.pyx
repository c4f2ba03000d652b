from . cimport sums
from .sums cimport Point, total


def doubled(int n):
    return 2 * total(n)


def norm_of(Point point):
    return point.x * point.x + point.y * point.y
