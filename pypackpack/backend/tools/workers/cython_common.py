"""What both workers that run Cython do; imported from beside them, before they take that folder out of ``sys.path``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def below(find: Callable[..., str | None]) -> Callable[..., str | None]:
    """Wrap the method of Cython that finds what ``include`` names: nothing outside of the request's folder, which no key has.

    A ``.py`` file includes nothing, but a ``.pxd`` file beside it may.
    """
    from Cython.Compiler import Errors  # noqa: PLC0415 - it is on sys.path only after this file was imported

    def find_include_file(context: Any, filename: str, *args: Any, **options: Any) -> str | None:
        path = find(context, filename, *args, **options)
        if path is not None and Path.cwd().resolve() not in Path(path).resolve().parents:
            pos = args[0] if args else options.get("pos")
            Errors.error(pos, f"'{filename}' lies outside of the package: put it there, and name it by a relative path")
            return None
        return path

    return find_include_file


def lined(c: bytes, name: str) -> bytes:
    """Return C in which lines of the source are named where they belong to, and nowhere else.

    Cython says before each line that it writes for a place which place that is (``#line``), and never that the next line is for
    none; a debugger would show set-up code as lines behind the source's end.

    Args:
        c: What Cython wrote.
        name: The C file, as a compiler is to call it.
    """
    made: list[bytes] = []
    placed = False
    for line in c.split(b"\n"):
        directive = line.startswith(b"#line ")
        if placed and not directive and line.strip() and not (made and made[-1].endswith(b"\\")):
            if made[-1].startswith(b"#line "):
                made.append(line)  # the one that was announced
                continue
            made.append(b'#line %d "%s"' % (len(made) + 2, name.encode()))
            placed = False
        placed = placed or directive
        made.append(line)
    return b"\n".join(made)
