"""TOML files, read with one clear error: file, line, column."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

from pypackpack.backend import filesystem
from pypackpack.model.errors import SettingsError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path

_PLACE = re.compile(r"^(?P<what>.*?) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$", re.DOTALL)


def read_toml(path: Path) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises:
        SettingsError: It is not UTF-8 or not valid TOML; the message has file, line and column.
        FilesystemError: It cannot be read.
    """
    return parse(decode(filesystem.read_bytes(path), path), path)


def content_digest(path: Path) -> str:
    """Return the digest of what a package's pyproject.toml says, as far as it matters to an installation from its sources.

    Which targets it is built for does not, unless one of them has settings of its own; nor do comments and layout.

    Raises:
        SettingsError: As `read_toml`.
        FilesystemError: It cannot be read.
    """
    content = read_toml(path)
    tool = content.get("tool")
    table = tool.get("pypackpack") if isinstance(tool, dict) else None
    if isinstance(table, dict) and "target" not in table:
        table.pop("targets", None)
    return filesystem.sha256_bytes(json.dumps(content, sort_keys=True, default=str))


def decode(data: bytes, path: Path) -> str:
    """Return the text of a TOML file's bytes (TOML 1.0: always UTF-8).

    Raises:
        SettingsError: It is not UTF-8.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        msg = f"{path}:{line}: not valid TOML: the file is not UTF-8 (byte 0x{data[error.start]:02x})"
        raise SettingsError(msg, hint="Save the file as UTF-8.") from error


def parse(text: str, path: Path) -> dict[str, Any]:
    """Parse the text of the TOML file ``path``.

    Raises:
        SettingsError: It is not valid TOML.
    """
    if text.startswith("\ufeff"):
        msg = f"{path}:1:1: not valid TOML: the file begins with a byte order mark"
        raise SettingsError(msg, hint="Save the file as UTF-8 without a byte order mark (BOM).")
    try:
        content: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _PLACE.match(str(error))
        what = found["what"] if found else str(error)
        if found and found["line"]:
            line, column = int(found["line"]), int(found["column"])
        else:
            lines = text.split("\n")
            line, column = len(lines), len(lines[-1]) + 1
        shown = text.split("\n")[line - 1].rstrip("\r") if line <= text.count("\n") + 1 else ""
        msg = f"{path}:{line}:{column}: not valid TOML: {what}"
        pointer = f"{shown}\n{' ' * (column - 1)}^" if shown.strip() else ""
        raise SettingsError(msg, hint="Mend the file and run the same command again.", details=pointer) from error
    return content
