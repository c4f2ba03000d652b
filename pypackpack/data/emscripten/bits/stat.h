/* struct stat of Emscripten differs from Linux's and between Emscripten's versions. It stays incomplete here: what only
 * passes pointers on compiles, and what looks inside gets an error from the compiler instead of a wrong number.
 *
 * Source: https://github.com/emscripten-core/emscripten/blob/main/system/lib/libc/musl/arch/emscripten/bits/stat.h
 */
struct stat;
