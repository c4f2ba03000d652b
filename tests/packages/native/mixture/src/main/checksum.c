#include "checksum.h"

uint32_t mixture_checksum(const char *bytes, size_t size) {
  uint32_t sum = 2166136261u;
  for (size_t place = 0; place < size; place++) sum = (sum ^ (unsigned char)bytes[place]) * 16777619u;
  return sum;
}
