cdef class Counter:
    cdef long count

cdef inline long twice(long number):
    return number + number
