/* Source: https://webassembly.github.io/spec/core/exec/runtime.html#memory-instances (the size of a page) */
#if defined(_POSIX_SOURCE) || defined(_POSIX_C_SOURCE) || defined(_XOPEN_SOURCE) || defined(_GNU_SOURCE) || defined(_BSD_SOURCE)
#define PAGE_SIZE 65536
#endif
