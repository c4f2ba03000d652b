ctypedef long number
