"""The options of ``uv tree`` that a tree of ours has, from the words that a person typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.model.environment import LockUse, TreeView
from pypackpack.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

_VALUES = {"--depth": "depth", "-d": "depth", "--prune": "prune"}
_FLAGS = ("--frozen", "--invert", "--locked", "--no-dedupe", "--outdated", "--show-sizes")
KNOWN = ("--depth", "--package", "--prune", "--invert", "--no-dedupe", "--show-sizes", "--outdated", "--locked", "--frozen")


def tree_view(call: str, words: Sequence[str], packages: Sequence[str] = ()) -> tuple[TreeView, LockUse]:
    """Return what some options of ``uv tree`` ask for.

    Args:
        call: What was called, for errors.
        words: The options, with their values as words of their own or after ``=``.
        packages: What ``--package`` names, which is among our own options.

    Raises:
        UsageError: There is no such option, it has no value or one that means nothing, or two exclude each other.
    """
    found: dict[str, list[str]] = {"depth": [], "prune": []}
    flags: set[str] = set()
    left = list(words)
    while left:
        word = left.pop(0)
        name, equals, value = word.partition("=")
        if name[:2] == "-d" and not name.startswith("--") and len(word) > len("-d"):
            name, equals, value = "-d", "=", word[len("-d") :].removeprefix("=")
        if name in _VALUES:
            found[_VALUES[name]].append(value if equals else left.pop(0) if left else "")
        elif name in _FLAGS and not equals:
            flags.add(name)
        else:
            msg = f"`{call}` has no option {name}"
            raise UsageError(msg, hint=f"It reads the package's own lock; of uv's options it has {', '.join(KNOWN)}.")
    for value in found["depth"]:
        if not (value.isascii() and value.isdigit()):
            msg = f'--depth "{value}" is not a number'
            raise UsageError(msg, hint="--depth 1 shows what the package needs itself.")
    if "" in found["prune"]:
        msg = "--prune needs a value"
        raise UsageError(msg, hint="Such as --prune numpy.")
    view = TreeView(
        depth=int(found["depth"][-1]) if found["depth"] else None,
        packages=tuple(packages),
        prune=tuple(found["prune"]),
        invert="--invert" in flags,
        dedupe="--no-dedupe" not in flags,
        sizes="--show-sizes" in flags,
        outdated="--outdated" in flags,
    )
    return view, lock_use(flags)


def lock_use(names: Sequence[str] | set[str]) -> LockUse:
    """Return what ``--locked`` or ``--frozen`` among some options say of the lock.

    Raises:
        UsageError: Both are there.
    """
    if "--locked" in names and "--frozen" in names:
        msg = "--locked and --frozen exclude each other"
        raise UsageError(msg, hint="--locked wants a lock that is up to date; --frozen does not look whether it is.")
    if "--frozen" in names:
        return LockUse.FROZEN
    return LockUse.LOCKED if "--locked" in names else LockUse.UPDATE
