/* errno of Android's C library, over musl's header: the numbers are Linux's in both, the place is not. */
#ifndef PYPACKPACK_BIONIC_ERRNO_H
#define PYPACKPACK_BIONIC_ERRNO_H
#include_next <errno.h>
#undef errno
#ifdef __cplusplus
extern "C"
#endif
int *__errno(void);
#define errno (*__errno())
#endif
