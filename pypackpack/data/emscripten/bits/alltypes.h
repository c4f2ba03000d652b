/* What Emscripten's C library has otherwise than the 32 bit musl whose headers are used for it.
 *
 * An include folder, searched before zig's riscv32-linux-musl and generic-musl: of the 32 bit musl headers that zig has,
 * riscv32's come nearest to Emscripten's (time_t of 64 bit without renamed functions, int wchar_t). There size_t and its
 * relatives are int, and clang for wasm32-emscripten has long; both are 32 bit, but C takes them for two types.
 *
 * Source: https://github.com/emscripten-core/emscripten/blob/main/system/lib/libc/musl/include/alltypes.h.in
 *
 * No include guard: musl includes this file again for each __NEED_.
 */
#if defined(__NEED_size_t) && !defined(__DEFINED_size_t)
typedef __SIZE_TYPE__ size_t;
#define __DEFINED_size_t
#endif
#if defined(__NEED_ssize_t) && !defined(__DEFINED_ssize_t)
typedef __PTRDIFF_TYPE__ ssize_t;
#define __DEFINED_ssize_t
#endif
#if defined(__NEED_ptrdiff_t) && !defined(__DEFINED_ptrdiff_t)
typedef __PTRDIFF_TYPE__ ptrdiff_t;
#define __DEFINED_ptrdiff_t
#endif
#if defined(__NEED_intptr_t) && !defined(__DEFINED_intptr_t)
typedef __INTPTR_TYPE__ intptr_t;
#define __DEFINED_intptr_t
#endif
#if defined(__NEED_uintptr_t) && !defined(__DEFINED_uintptr_t)
typedef __UINTPTR_TYPE__ uintptr_t;
#define __DEFINED_uintptr_t
#endif
#if defined(__NEED_regoff_t) && !defined(__DEFINED_regoff_t)
typedef __PTRDIFF_TYPE__ regoff_t;
#define __DEFINED_regoff_t
#endif
#if defined(__NEED_register_t) && !defined(__DEFINED_register_t)
typedef __PTRDIFF_TYPE__ register_t;
#define __DEFINED_register_t
#endif
#if defined(__NEED_nlink_t) && !defined(__DEFINED_nlink_t)
typedef __SIZE_TYPE__ nlink_t;
#define __DEFINED_nlink_t
#endif
#if defined(__NEED_blksize_t) && !defined(__DEFINED_blksize_t)
typedef long blksize_t;
#define __DEFINED_blksize_t
#endif
#if defined(__NEED_dev_t) && !defined(__DEFINED_dev_t)
typedef unsigned dev_t; /* 32 bit, and part of CPython's _PyRuntime (pyhash_state) */
#define __DEFINED_dev_t
#endif
/* The largest that any Emscripten had: until 4.0 it kept the names of canvases in here. */
#if defined(__NEED_pthread_attr_t) && !defined(__DEFINED_pthread_attr_t)
typedef struct { union { int __i[11]; volatile int __vi[11]; unsigned __s[11]; } __u; } pthread_attr_t;
#define __DEFINED_pthread_attr_t
#endif
#include_next <bits/alltypes.h>
