# distutils: language = c++
from libcpp.algorithm cimport sort
from libcpp.vector cimport vector


cdef class Pages:
    cdef vector[int] numbers

    def add(self, int number):
        self.numbers.push_back(number)

    def sorted(self):
        sort(self.numbers.begin(), self.numbers.end())
        return list(self.numbers)

    def at(self, int place):
        return self.numbers.at(place)
