from .kinds cimport number

cdef extern from "scale.h":
    number scale(number x)

cdef number square(number x)

cpdef number total(number n)

cdef class Point:
    cdef number x, y
    cpdef number norm(self)
