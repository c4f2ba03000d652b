/* What MinGW's math.h calls instead of the C library's own functions, so that its static library need not be built for them.
 * printf and its like are not exported by the C library: Microsoft's and MinGW's headers both call what is behind them. With option 2
 * that is the snprintf of C99 (_CRT_INTERNAL_PRINTF_STANDARD_SNPRINTF_BEHAVIOR of corecrt_stdio_config.h); sprintf and vsprintf have it,
 * too, as MinGW-w64 has them.
 * Values as MinGW-w64's math.h defines FP_NAN, FP_NORMAL, FP_INFINITE, FP_ZERO and FP_SUBNORMAL.
 */
static unsigned long long bits(double x) {
  union {
    double value;
    unsigned long long bits;
  } both;
  both.value = x;
  return both.bits;
}

int __fpclassify(double x) {
  unsigned long long exponent = (bits(x) >> 52) & 0x7ff;
  unsigned long long mantissa = bits(x) & 0xfffffffffffffULL;
  if (exponent == 0x7ff) return mantissa ? 0x0100 : 0x0500;
  if (exponent) return 0x0400;
  return mantissa ? 0x4400 : 0x4000;
}

int __isnan(double x) { return __fpclassify(x) == 0x0100; }

int __signbit(double x) { return (int)(bits(x) >> 63); }

typedef __builtin_va_list arguments_t;

__declspec(dllimport) void *__acrt_iob_func(unsigned number);
__declspec(dllimport) int __stdio_common_vfprintf(unsigned long long options, void *stream, const char *format, void *locale,
                                                  arguments_t arguments);
__declspec(dllimport) int __stdio_common_vsprintf(unsigned long long options, char *buffer, unsigned long long size, const char *format,
                                                  void *locale, arguments_t arguments);

int vsnprintf(char *buffer, unsigned long long size, const char *format, arguments_t arguments) {
  int written = __stdio_common_vsprintf(2, buffer, size, format, 0, arguments);
  return written < 0 ? -1 : written;
}

int vsprintf(char *buffer, const char *format, arguments_t arguments) { return vsnprintf(buffer, -1, format, arguments); }

int vfprintf(void *stream, const char *format, arguments_t arguments) {
  return __stdio_common_vfprintf(0, stream, format, 0, arguments);
}

int vprintf(const char *format, arguments_t arguments) { return vfprintf(__acrt_iob_func(1), format, arguments); }

#define PASS_ON(call) \
  arguments_t arguments; \
  __builtin_va_start(arguments, format); \
  int written = call; \
  __builtin_va_end(arguments); \
  return written

int snprintf(char *buffer, unsigned long long size, const char *format, ...) { PASS_ON(vsnprintf(buffer, size, format, arguments)); }

int sprintf(char *buffer, const char *format, ...) { PASS_ON(vsprintf(buffer, format, arguments)); }

int fprintf(void *stream, const char *format, ...) { PASS_ON(vfprintf(stream, format, arguments)); }

int printf(const char *format, ...) { PASS_ON(vprintf(format, arguments)); }
