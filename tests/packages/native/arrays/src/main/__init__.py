"""Answers that numpy's arrays give to C, Cython and Python of our own."""


def answers() -> dict:
    import numpy

    from . import pure, rows, table

    numbers = numpy.arange(6, dtype=numpy.float64)
    try:
        table.size([1, 2])
        refused = ""
    except TypeError as error:
        refused = str(error)
    return {
        "cimported": rows.total(numbers),
        "included": table.size(numbers.reshape(2, 3)),
        "refused": refused,
        "pure": pure.total(numbers),
    }
