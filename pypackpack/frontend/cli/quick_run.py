"""The fast path of ``pypackpack run``: whatever is wrong is left to the full command line, which says it.

Nothing is imported here that Python did not load by itself, but for our own light modules.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_FLAGS = ("--quiet", "-q", "--verbose", "--json")  # those of argv.FLAGS; a test compares


class RunWords:
    """The words of a call of ``run``, told apart: the general options, and what belongs to the script or command."""

    __slots__ = ("general", "own", "project")

    def __init__(self, general: "list[str]", project: str, own: "list[str]") -> None:
        self.general = general
        self.project = project
        self.own = own

    def whole(self) -> "list[str]":
        """Return the call in the form that the full command line reads: nothing after ``--`` is taken for an option of ours."""
        return [*self.general, "run", "--", *self.own]


def run_words(words: "Sequence[str]") -> RunWords | None:
    """Tell the words of a call apart, or return None: not ``run``, or nothing that it can start (the full command line says so).

    General options stand before the script or command; every word from that one on belongs to it, also ``--help`` and ``--json``.
    """
    general: list[str] = []
    project = ""
    seen = False
    index = 0
    while index < len(words):
        word = words[index]
        if word == "--":
            return RunWords(general, project, list(words[index + 1 :])) if seen and words[index + 1 :] else None
        if word == "--project":
            project = words[index + 1] if index + 1 < len(words) else ""
            general += words[index : index + 2]
            index += 1
        elif word.startswith("--project="):
            project = word.partition("=")[2]
            general.append(word)
        elif word in _FLAGS:
            general.append(word)
        elif not seen and word == "run":
            seen = True
        else:
            return RunWords(general, project, list(words[index:])) if seen and not word.startswith("-") else None
        index += 1
    return None


def quick_run(run: RunWords) -> int | None:
    """Start what is meant; returns its exit code, on Windows, or None when the full command line has to say what is wrong."""
    from pypackpack.backend import handover  # noqa: PLC0415 - only for run
    from pypackpack.middleware import run as middleware  # noqa: PLC0415 - only for run

    try:
        start = middleware.plan(run.project or os.getcwd(), run.own, os.environ, named=bool(run.project))
        say_missing(start.missing, quiet="--quiet" in run.general or "-q" in run.general)
        return handover.hand_over(start.program, start.words, start.environment)
    except Exception:  # noqa: BLE001 - said by the full command line, in its own form
        return None


def say_missing(missing: "Sequence[str]", *, quiet: bool) -> None:
    """Say which packages cannot be imported yet."""
    if missing and not quiet and sys.stderr is not None:
        verb = "is" if len(missing) == 1 else "are"
        sys.stderr.write(
            f"note: {', '.join(missing)} {verb} not in .venv yet; `pypackpack sync` makes the environment complete\n"
        )
