"""Python whose types are Cython's and numpy's ("Pure Python Mode" in Cython's manual)."""

import cython
from cython.cimports.numpy import import_array, ndarray

import_array()


@cython.locals(numbers=ndarray, result=cython.double, i=cython.Py_ssize_t)
def total(numbers):
    result = 0
    for i in range(numbers.shape[0]):
        result += numbers[i]
    return result
