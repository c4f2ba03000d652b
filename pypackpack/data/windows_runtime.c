/* What MinGW's math.h calls instead of the C library's own functions, so that its static library need not be built for them.
 * snprintf is not exported by the C library: Microsoft's and MinGW's headers both call what is behind it, with the option that makes
 * it that of C99 (_CRT_INTERNAL_PRINTF_STANDARD_SNPRINTF_BEHAVIOR of corecrt_stdio_config.h).
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

__declspec(dllimport) int __stdio_common_vsprintf(unsigned long long options, char *buffer, unsigned long long size, const char *format,
                                                  void *locale, __builtin_va_list arguments);

int snprintf(char *buffer, unsigned long long size, const char *format, ...) {
  __builtin_va_list arguments;
  __builtin_va_start(arguments, format);
  int written = __stdio_common_vsprintf(2, buffer, size, format, 0, arguments);
  __builtin_va_end(arguments);
  return written < 0 ? -1 : written;
}
