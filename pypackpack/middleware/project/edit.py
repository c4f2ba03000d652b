"""Changes to a person's pyproject.toml: comments, order and spelling stay, and nobody's edit is lost.

A change is planned on the bytes that were read and written only if the file still has them, under a lock that
other pypackpacks honour (it lies in the user's cache, so that no lock file appears in a project). Several files
change together or not at all.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pypackpack.backend import filesystem
from pypackpack.backend.undo import Undo
from pypackpack.middleware.project.toml import decode, parse
from pypackpack.model.errors import ConflictError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tomlkit import TOMLDocument
    from tomlkit.items import Array


@dataclass(frozen=True)
class Edit:
    """A planned change of one file: the bytes it was planned on, and the bytes to be."""

    path: Path
    before: bytes
    after: bytes

    @property
    def changes(self) -> bool:
        """Whether there is anything to write."""
        return self.before != self.after


def plan_edit(path: Path, change: Callable[[TOMLDocument], None]) -> Edit:
    """Apply ``change`` to the document in ``path`` without writing it.

    The document is a tomlkit one; ``change`` alters it in place and may raise to refuse.

    Raises:
        SettingsError: The file is not valid TOML.
        FilesystemError: It cannot be read.
    """
    import tomlkit  # noqa: PLC0415 - import cost
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415 - import cost

    before = filesystem.read_bytes(path)
    text = decode(before, path)
    parse(text, path)  # the standard parser's errors have line and column, and its idea of TOML is the one we read with
    try:
        document = tomlkit.parse(text)
        change(document)
        after = document.as_string()
        if "\n" in text and text.count("\n") == text.count("\r\n"):
            after = re.sub(r"(?<!\r)\n", "\r\n", after)  # tomlkit ends new lines in its own way
        parse(after, path)
    except TOMLKitError as error:
        msg = f"{path} cannot be edited: {error}"
        raise SettingsError(msg, hint="Make this change by hand, or write the table in its long form ([table]).") from error
    return Edit(path, before, after.encode())


def commit_edits(edits: Iterable[Edit], undo: Undo | None = None) -> None:
    """Write planned changes, all of them or none.

    Args:
        edits: The changes.
        undo: Takes them back, should what comes after them fail.

    Raises:
        ConflictError: A file has changed since its edit was planned; nothing is written.
        FilesystemError: A file cannot be written; those written before are put back.
    """
    wanted = sorted((edit for edit in edits if edit.changes), key=lambda edit: os.fspath(edit.path))
    with contextlib.ExitStack() as held:
        for edit in wanted:  # in one order everywhere, so that two callers cannot wait for each other
            held.enter_context(filesystem.lock(lock_file(edit.path)))
        _write(wanted, undo)


def edit_toml(path: Path, change: Callable[[TOMLDocument], None]) -> bool:
    """Change one TOML file in place; returns whether its bytes changed.

    Another pypackpack that edits the same file waits until we are done.

    Raises:
        SettingsError: The file is not valid TOML.
        ConflictError: Somebody else changed it meanwhile; theirs stays.
        FilesystemError: It cannot be read or written; it stays as it was.
    """
    with filesystem.lock(lock_file(path)):
        edit = plan_edit(path, change)
        if edit.changes:
            _write([edit])
    return edit.changes


def _write(edits: list[Edit], undo: Undo | None = None) -> None:
    """Check and write edits whose locks are held."""
    for edit in edits:
        if filesystem.read_bytes(edit.path) != edit.before:
            msg = f"{edit.path} was changed by somebody else meanwhile; it was left as it is now"
            raise ConflictError(msg, hint="Run the same command again.")
    with contextlib.nullcontext(undo) if undo is not None else Undo() as undoing:
        for edit in edits:
            undoing.write(_real(edit.path), edit.after)


def table_at(document: TOMLDocument, dotted: str) -> Any:  # noqa: ANN401 - tomlkit has no common type for its kinds of tables
    """Return the table of a dotted key such as ``tool.pypackpack``, made if it is not there.

    Raises:
        SettingsError: Something on the way is not a table.
    """
    import tomlkit  # noqa: PLC0415 - import cost

    here: Any = document
    words = dotted.split(".")
    for number, word in enumerate(words):
        if word not in here:
            fresh: Any = tomlkit.inline_table() if _is_inline(here) else tomlkit.table(is_super_table=number + 1 < len(words))
            here[word] = fresh
        here = here[word]
        if not hasattr(here, "keys"):
            msg = f"{'.'.join(words[: number + 1])} is not a table"
            raise SettingsError(msg, hint="Write it as a table, or remove it.")
    return here


def _is_inline(item: Any) -> bool:  # noqa: ANN401 - see table_at
    from tomlkit.items import InlineTable  # noqa: PLC0415 - import cost

    return isinstance(item, InlineTable)


def append_word(array: Array, word: str) -> None:
    """Append a string to a TOML array in the array's own style: one line stays one line, one item per line stays that."""
    text = array.as_string()
    if "\n" not in text:
        array.append(word)
        return
    indent = "    "
    for line in text.splitlines()[1:]:
        if line.strip() and not line.strip().startswith("]"):
            indent = line[: len(line) - len(line.lstrip())]
            break
    array.add_line(word, indent=indent)


def _real(path: Path) -> Path:
    """The file behind a link: renaming over the link would cut it."""
    return Path(os.path.realpath(path))


def lock_file(path: Path, purpose: str = "edit") -> Path:
    """Return the lock for working on ``path``; it lies in the user's cache, never in the project."""
    name = filesystem.sha256_bytes(f"{purpose}\0{os.path.normcase(_real(path))}")[:32]
    return filesystem.cache_folder() / "locks" / f"{name}.lock"
