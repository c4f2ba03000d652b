cimport numpy as cnp

cnp.import_array()


def total(cnp.ndarray[cnp.float64_t, ndim=1] numbers):
    cdef double result = 0
    cdef Py_ssize_t i
    for i in range(numbers.shape[0]):
        result += numbers[i]
    return result
