#define WIDEST 64
