/* CPython's mimalloc (internal.h) says of Emscripten that it is WASI, which Nuitka believes: no dynamic libraries. Whatever it
 * says, they are there. Nuitka includes this header after that one, in each place that asks.
 */
#undef __wasi__
#include_next <dlfcn.h>
