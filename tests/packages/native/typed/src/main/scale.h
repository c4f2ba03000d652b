#define FACTOR 6
static long scale(long x) { return FACTOR * x; }
