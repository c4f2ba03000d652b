"""What an extension module for Android has that one for Linux has not, whatever compiles it.

Android's loader looks a symbol up in the libraries that a library names, and nowhere else; so a module has to name
``libpython3.Y.so`` (PEP 738, "Linkage"), and ``libpython3.so`` when it uses the stable ABI only. Linking needs such a library:
a stub of its name with the functions that the module's own objects miss says all that a linker looks at.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pypackpack.backend.tools.toolchain import ModuleJob

STUB: Final = "libpython.c"
"""Name of the stub's source in a scratch folder."""

LINK: Final = (
    "--gc-sections",
    "--build-id=none",
    "--as-needed",
    # As CPython links its own: devices with pages of 16 KB load nothing that is aligned to less.
    "-z,max-page-size=16384",
    # As CPython too: before Android 10 the system's unwinder does not find code behind a read-only segment.
    "--no-rosegment",
)
"""Words of the linker, as they follow ``-Wl,``."""

_PYTHON: Final = re.compile(r"_?Py[A-Za-z0-9_]+")


def python_library(job: ModuleJob) -> str:
    """Return the name of the library that a module finds Python in."""
    return "libpython3.so" if job.limited else f"libpython{job.python[0]}.{job.python[1]}.so"


def is_python(name: str) -> bool:
    """Tell whether a symbol is one of Python's."""
    return _PYTHON.fullmatch(name) is not None


def stub_source(missing: Iterable[str]) -> str:
    """Return the C of a library that has what a module's objects miss of Python.

    What a symbol is does not matter to a linker of position independent code: data and functions alike are found when loaded.
    """
    found = sorted(name for name in set(missing) if is_python(name))
    return "".join(f"void {name}(void) {{}}\n" for name in found)
