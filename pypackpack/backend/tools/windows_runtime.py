"""Linking for Windows without MinGW's static runtime.

The usual way for ``*-windows-gnu`` links startup code and a static library, which zig has to build once per target: a
minute of work or two, before the first module is done. An extension module of generated C needs none of it. It has no
static constructors, the interpreter's process has started the C library long before, and what it calls is exported by
``ucrtbase.dll``, which every Windows that runs a supported Python has. So an import library is written of just the
functions that the object calls, as it is for Python's own. An object that calls anything else is linked the usual way.
"""

from __future__ import annotations

from pathlib import Path

SOURCE = Path(__file__).parent.parent.parent / "data" / "windows_runtime.c"

FORMATTED = frozenset({"fprintf", "printf", "snprintf", "sprintf", "vfprintf", "vprintf", "vsnprintf", "vsprintf"})
"""Formatted output as ``data/windows_runtime.c`` defines it."""

OWN = FORMATTED | {"__fpclassify", "__isnan", "__signbit"}
"""What that file defines."""

BEHIND = frozenset({"__acrt_iob_func", "__stdio_common_vfprintf", "__stdio_common_vsprintf"})
"""What it calls itself."""

COMPILER = frozenset(
    [
        *("___chkstk_ms", "__chkstk", "__divti3", "__modti3", "__udivti3", "__umodti3"),
        *("__multi3", "__muloti4", "__ashlti3", "__lshrti3"),
    ]
)
"""Helpers of the compiler, in the compiler_rt that zig links."""

UCRT = frozenset(
    [
        "abort", "abs", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "bsearch", "calloc", "cbrt",
        "ceil", "copysign", "cos", "cosh", "erf", "erfc", "exp", "exp2", "expm1", "fabs", "fdim", "floor", "fma",
        "fmax", "fmin", "fmod", "free", "frexp", "hypot", "isalnum", "isalpha", "isblank", "iscntrl", "isdigit",
        "isgraph", "islower", "isprint", "ispunct", "isspace", "isupper", "isxdigit", "labs", "ldexp", "llabs", "log",
        "log10", "log1p", "log2", "logb", "lround", "malloc", "memchr", "memcmp", "memcpy", "memmove", "memset",
        "modf", "nan", "nearbyint", "nextafter", "pow", "qsort", "realloc", "remainder", "rint", "round", "scalbn",
        "sin", "sinh", "sqrt", "strcat", "strchr", "strcmp", "strcoll", "strcpy", "strcspn", "strerror", "strlen",
        "strncat", "strncmp", "strncpy", "strpbrk", "strrchr", "strspn", "strstr", "strtod", "strtol", "strtoll",
        "strtoul", "strtoull", "tan", "tanh", "tolower", "toupper", "trunc", "wcslen", "wcscmp", "wcscpy", "wcschr",
        "wcsncmp", "__acrt_iob_func", "fflush", "fputc", "fputs", "fwrite", "putchar", "puts",
    ]
)
"""Functions of ISO C that ``ucrtbase.dll`` exports under their own names.

Source: Microsoft, "Universal C runtime routines by category". Of files there are only those that write to what Python's
process has open (``__acrt_iob_func`` gives the three standard streams). Left out are those whose behaviour MinGW's headers
change (formatted output, but for `FORMATTED`; formatted input) and those of the locale.
"""


def imports(names: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return what to import from ``ucrtbase.dll``, or None when these symbols need MinGW's runtime.

    Args:
        names: Undefined symbols of an object, those of Python left out.
    """
    wanted = set()
    for name in names:
        plain = name.removeprefix("__imp_")
        if plain in UCRT:
            wanted.add(plain)
        elif name in OWN:
            wanted |= BEHIND
        elif name not in COMPILER:
            return None
    return tuple(sorted(wanted))
