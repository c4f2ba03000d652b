"""Colour, as few escape codes as help and summaries need. Imports nothing: the fast paths use it."""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO


def wants_colour(stream: "TextIO | None") -> bool:
    """Tell whether text for this stream may carry colour: a terminal that is not dumb, and no ``NO_COLOR``.

    ``NO_COLOR`` counts when it is set and not empty (https://no-color.org).
    """
    if stream is None or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    try:
        if not stream.isatty():
            return False
    except ValueError:  # a closed stream
        return False
    if sys.platform == "win32":
        from pypackpack.backend.terminal import switch_on_escape_codes  # noqa: PLC0415 - Windows only

        return switch_on_escape_codes(stream.fileno())
    return True


def make_safe(stream: "TextIO | None") -> None:
    """Let characters that the stream's encoding lacks come out as ``?`` instead of ending the program."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")


def emit(text: str) -> int:
    """Write a short answer to stdout and return the exit code; a reader that went away is no error."""
    make_safe(sys.stdout)
    try:
        if sys.stdout is not None:
            sys.stdout.write(text)
            sys.stdout.flush()
    except BrokenPipeError:
        sys.stdout = None  # nobody reads any more; Python must not flush into it at its end
    except OSError as error:
        sys.stdout = None
        sys.stderr.write(f"error[filesystem]: cannot write the result: {error.strerror or error}\n")
        return 1
    return 0


class Style:
    """Marks text, or leaves it as it is when colour is off."""

    __slots__ = ("on",)

    def __init__(self, *, on: bool) -> None:
        self.on = on

    def _wrap(self, codes: str, text: str) -> str:
        return f"\033[{codes}m{text}\033[0m" if self.on and text else text

    def bold(self, text: str) -> str:
        """Mark a heading."""
        return self._wrap("1", text)

    def dim(self, text: str) -> str:
        """Mark what matters less."""
        return self._wrap("2", text)

    def word(self, text: str) -> str:
        """Mark what a person can type."""
        return self._wrap("36", text)

    def good(self, text: str) -> str:
        """Mark a success."""
        return self._wrap("32", text)

    def warn(self, text: str) -> str:
        """Mark what a person should look at."""
        return self._wrap("33", text)

    def bad(self, text: str) -> str:
        """Mark an error."""
        return self._wrap("1;31", text)


PLAIN = Style(on=False)
