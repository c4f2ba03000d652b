from mixture.fast cimport twice


def doubled(long number):
    return twice(number)
