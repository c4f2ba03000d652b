#ifndef MIXTURE_CHECKSUM_H
#define MIXTURE_CHECKSUM_H
#include <stddef.h>
#include <stdint.h>

uint32_t mixture_checksum(const char *bytes, size_t size);
#endif
