"""What is read in native sources without a compiler: their entry points, what they include, what they say to distutils."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# What is left open reaches to the end of the line, or of the file: nothing here ever goes back, so that no text makes it slow.
_COMMENT_OR_TEXT = re.compile(
    r"""//[^\n]*|/\*.*?(?:\*/|\Z)|(?P<text>"""
    # In a raw string of C++ neither quotation marks nor comments mean anything, and in a number ' parts its digits.
    r"""(?<!\w)(?:u8|[uUL])?R"(?P<end>[^()\\\s"]{0,16})\(.*?(?:\)(?P=end)"|\Z)|(?<![\w.])\.?\d(?:'?[\w.])*|"""
    r""""(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)""",
    re.DOTALL,
)
_INCLUDE = re.compile(
    r"^[ \t]*(?:\#|%:|\?\?=)[ \t]*(?:include|include_next|import|(?P<embed>embed))\b[ \t]*(?P<what>[^\n]*)",
    re.MULTILINE,
)
_QUOTED = re.compile(r"""["<](?P<name>[^"<>\n]+)[">]""")
_LIST = frozenset({"sources", "include_dirs", "define_macros", "libraries", "extra_compile_args", "depends"})
KNOWN_TO_DISTUTILS = frozenset({"language", *_LIST})
"""What a ``# distutils:`` comment may say here; source: `Cython.Build.Dependencies.distutils_settings`."""


def decoded(data: bytes) -> str:
    """Return a source as text; bytes that are no UTF-8 stay apart from each other and from all characters."""
    return data.decode("utf-8", "surrogateescape").replace("\r\n", "\n")


def code(text: str) -> str:
    """Return C without its comments, and with its lines joined as the preprocessor joins them."""
    joined = text.replace("\\\n", "")
    return _COMMENT_OR_TEXT.sub(lambda found: (found["text"] or " ").replace("\n", " "), joined)


def defines(symbol: str, text: str) -> bool:
    """Tell whether C defines a function without arguments of that name."""
    words = re.sub(r"\s+", " ", code(text))
    return re.search(rf"\b{re.escape(symbol)} ?\( ?(?:void ?)?\) ?(?:noexcept ?)?\{{", words) is not None


def includes(text: str, *, embedded: bool = False) -> Iterator[str | None]:
    """Yield what C includes, by the names that stand there; None where a macro says it.

    Args:
        text: The source.
        embedded: Yield what it embeds as data instead (``#embed``): that is no C, and includes nothing.
    """
    for found in _INCLUDE.finditer(code(text)):
        quoted = _QUOTED.match(found["what"].strip())
        if (found["embed"] is not None) is embedded:
            yield quoted["name"] if quoted else None


def reads_file(text: str) -> bool:
    """Tell whether C lets the assembler put a file in (``.incbin``): no compiler says which, so it would be in no key."""
    return ".incbin" in re.sub(r'"\s*"', "", code(text))


def distutils_comments(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """Yield line, key and values of each ``# distutils: key = values`` at the top of a Cython source.

    As in `Cython.Build.Dependencies.DistutilsInfo`: in the lines before the first that is no comment; values are parted by
    spaces, or by commas within brackets.

    Raises:
        ValueError: A quotation is not closed; the text is the line.
    """
    for number, line in enumerate(text.lstrip("\ufeff").split("\n"), 1):
        stripped = line.strip()
        if not stripped:
            continue
        if not stripped.startswith("#"):
            return
        word, _, rest = stripped[1:].lstrip().partition(":")
        if word != "distutils" or "=" not in rest:
            continue
        key, _, value = rest.partition("=")
        value = value.strip()
        if value.startswith("[") and value.endswith("]"):
            value = value[1:-1].replace(",", " ")
        try:
            words = shlex.split(value)
        except ValueError:
            raise ValueError(str(number)) from None
        yield number, key.strip(), words
