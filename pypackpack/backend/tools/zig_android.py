"""zig for Android, which it has clang and a linker for, and no C library.

musl's headers serve instead: on 64-bit processors bionic has the types and numbers of the kernel as musl has them, for what C of
compilers such as Cython uses. What differs there lies in ``data/bionic``. Other structures do differ (``sigset_t``, ``struct
sigaction``, ``fpos_t``): a person's own C wants the NDK.

Which functions there are, ``data/bionic.txt`` says; a module that wants another one is refused.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pypackpack.backend import filesystem
from pypackpack.backend.tools.android import LINK, STUB, is_python, python_library, stub_source
from pypackpack.backend.tools.toolchain import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pypackpack.backend.tools.toolchain import ModuleJob
    from pypackpack.model.target import Target

OLDEST: Final = 24
"""The first API level that ``data/bionic.txt`` holds for."""

_DATA: Final = Path(__file__).parent.parent.parent / "data"
_MACHINES: Final = {"arm64": "aarch64-linux-musl", "x86_64": "x86_64-linux-musl"}


def triple(target: Target) -> str:
    """Return what zig calls a target, which the NDK calls ``aarch64-linux-android24``."""
    return re.sub(r"(?<=android)(\d+)$", r".\1", target.triple)


def headers(target: Target) -> tuple[str, ...]:
    """Return the folders of C headers in zig's own ``libc/include``, first ones first."""
    return (_MACHINES[target.arch], "generic-musl")


def overlay() -> dict[str, str]:
    """Return the headers in which Android's C library differs (name → text)."""
    root = _DATA / "bionic"
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in filesystem.files_below(root)}


@cache
def functions() -> frozenset[str]:
    """Return the names that a module may want of Android's C library."""
    lines = (_DATA / "bionic.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(name for line in lines if not line.startswith("#") for name in line.split())


def link(
    job: ModuleJob, objects: Sequence[str], missing: Iterable[str], out: str, scratch: Path, run: Callable[[list[str]], None]
) -> None:
    """Link a module against stubs of the libraries that it names: Python's, and those of the system.

    Args:
        job: What to make.
        objects: Names of its objects.
        missing: What they want and do not have.
        out: Name of the module.
        scratch: The folder that all of it lies in.
        run: Runs zig in that folder.

    Raises:
        RefusedError: It wants something that is neither Python's nor among `functions`.
    """
    wanted = sorted(name for name in missing if not is_python(name))
    unknown = [name for name in wanted if name not in functions()]
    if unknown:
        listed = ", ".join(unknown)
        msg = f'{job.path} uses {listed}, and zig knows only a part of Android\'s C library: build it with toolchain = "ndk"'
        raise RefusedError(msg)
    library = python_library(job)
    system = "".join(f"void {name}(void) {{}}\n" for name in wanted)
    for source, made, text in ((STUB, library, stub_source(missing)), ("libc.c", "libc.so", system), ("libm.c", "libm.so", "")):
        filesystem.write_scratch(scratch / source, text.encode())
        words = ["cc", "-target", triple(job.target), "-nostdlibinc", "-ffreestanding", "-fno-builtin", "-fPIC", "-g0", "-w"]
        run([*words, "-fno-sanitize=undefined", "-c", source, "-o", f"{source}.o"])
        run(["ld.lld", "-shared", f"-soname={made}", "--build-id=none", f"{source}.o", "-o", made])
    flags = [part for word in LINK for part in word.split(",") if part != "--as-needed"]
    words = ["ld.lld", "-shared", *flags, "--no-undefined", "--hash-style=both", "--eh-frame-hdr", "-z", "now", "-z", "relro"]
    run([*words, *(["-s"] if job.release else []), *objects, library, "libm.so", "libc.so", "-o", out])
