/* The size of jmp_buf in Emscripten's C library depends on how its own compiler makes setjmp, and zig's makes it otherwise.
 *
 * Source: https://emscripten.org/docs/porting/setjmp-longjmp.html
 */
#error "setjmp does not work in modules that zig builds for Emscripten; do without it there, or set toolchain = \"emcc\""
