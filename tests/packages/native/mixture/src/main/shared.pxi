cdef long STEP = 2
