"""The fast path of ``pypackpack build``: when there is nothing to do, that is said before anything heavy is imported."""

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pypackpack.frontend.cli.session import Session
    from pypackpack.middleware.build import Order
    from pypackpack.model.build import BuildResult

PLAIN = ("--type", "--level", "--target", "--jobs", "--offline", "--keep-going")
"""Options that change nothing about an answer but what it is about; with any other one the full command line has to look."""


def is_plain(words: "Sequence[str]") -> bool:
    """Tell whether a call is ``<package> source …``, or ``resource``, with plain options only (the words after ``build``)."""
    if len(words) < 2 or words[0].startswith("-") or words[1] not in ("source", "resource"):
        return False
    return all(word.partition("=")[0] in PLAIN for word in words if word.startswith("-"))


_changed: "list[str]" = []


def sources_changed() -> bool:
    """Tell whether the quick look of this process found nothing but changed sources: then there will be work."""
    return _changed == ["sources"]


def quick_build(words: "Sequence[str]") -> int | None:
    """Return the exit code, or None when the full command line has to look.

    Args:
        words: The call, ``build`` first.
    """
    begin = time.perf_counter()
    own = list(words[1:])
    if not is_plain(own) or sys.stdout is None:
        return None
    from pypackpack.frontend.cli.style import emit  # noqa: PLC0415 - only for build
    from pypackpack.middleware.build_note import known_answer  # noqa: PLC0415 - only for build

    known = known_answer(os.getcwd(), own, _face())  # noqa: PTH109 - import cost of pathlib
    text = known.text
    if text is None:
        _changed[:] = [known.changed]
        if known.changed == "sources" and "cython" in known.compilers:
            from pypackpack.backend.tools.cython import start_early  # noqa: PLC0415 - only where something has changed

            start_early()
        return None
    seconds = time.perf_counter() - begin
    return emit(text if seconds < 0.05 else text.replace(", in 0.0 s (", f", in {seconds:.1f} s (", 1))


def _face() -> str:
    """Return what the form of an answer depends on: the columns of a terminal, and whether there is colour."""
    from pypackpack.frontend.cli.style import wants_colour  # noqa: PLC0415 - only for build

    columns = 0
    if sys.stdout.isatty():
        import shutil  # noqa: PLC0415 - only on a terminal

        columns = shutil.get_terminal_size((80, 24)).columns
    return f"{columns}|{wants_colour(sys.stdout):d}"


def remember(session: "Session", order: "Order", result: "BuildResult") -> None:
    """Note the answer of a call that had nothing to do; the next one like it is quick."""
    own = session.raw[1:]
    general = session.general
    if not is_plain(own) or result.tasks_run or general.json or general.quiet or general.verbose or general.project:
        return
    from dataclasses import replace  # noqa: PLC0415 - not for the reading half

    from pypackpack.frontend.cli.render import build_summary  # noqa: PLC0415 - not for the reading half
    from pypackpack.middleware.build_note import remember as note  # noqa: PLC0415 - not for the reading half

    console = session.console
    lines = build_summary(replace(result, seconds=0.0), console.width, console.style_out)
    text = "".join(f"{line}\n" for line in lines)
    note(own, os.getcwd(), _face(), order, result, text)  # noqa: PTH109 - as above
