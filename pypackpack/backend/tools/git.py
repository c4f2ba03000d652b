"""git: what a checkout says of itself. Nothing is ever changed, and nothing is fetched."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend import host, process

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


_DEEPEST = 20


@dataclass(frozen=True)
class Checkout:
    """A working tree.

    Attributes:
        root: Its folder, without links.
        commit: The full digest of the commit that is checked out.
        remote: The URL or path of its remote as its configuration has it, credentials and all; empty when there is none.
    """

    root: Path
    commit: str
    remote: str


def checkout(folder: Path) -> Checkout | None:
    """Return the checkout that a folder lies in, or None: there is none, it has no commit yet, or there is no git here."""
    git = host.find_program(["git"])
    if git is None:
        return None
    lines = _ask(git, folder, ["rev-parse", "--show-toplevel", "HEAD"])
    if len(lines) != 2:
        return None
    root = Path(lines[0]).resolve()
    return Checkout(root, lines[1], _behind(git, _remote(git, root), root, lines[1]))


def committed(tree: Checkout, paths: Iterable[str]) -> frozenset[str]:
    """Return which files, relative to the checkout's root and with ``/``, are in the commit that is checked out.

    Args:
        tree: The checkout.
        paths: The files.
    """
    git = host.find_program(["git"])
    wanted = list(paths)
    if git is None or not wanted:
        return frozenset()
    words = ["--literal-pathspecs", "ls-tree", "-z", "--name-only", "--full-tree", tree.commit, "--", *wanted]
    return frozenset("\n".join(_ask(git, tree.root, words)).split("\0")) - {""}


def _remote(git: Path, root: Path) -> str:
    """Return the URL of ``origin``, else of the only remote there is."""
    urls: dict[str, str] = {}
    # Not `git remote get-url`, which applies the person's own replacements (url.<base>.insteadOf): they may hold a token.
    for line in _ask(git, root, ["config", "--get-regexp", r"^remote\..*\.url$"]):
        key, _, url = line.partition(" ")
        urls.setdefault(key[len("remote.") : -len(".url")], url)
    if "origin" in urls:
        return urls["origin"]
    return next(iter(urls.values())) if len(urls) == 1 else ""


def _behind(git: Path, remote: str, root: Path, commit: str) -> str:
    """Return the folder behind a remote that is a copy in somebody's cache; any other remote as it is.

    uv fetches into a repository without remotes and checks out from there; a package that is named by that repository's path is
    fetched into another one, and so on. Only the first of them is the same for all packages. What a repository was fetched
    from stands in its FETCH_HEAD; a URL there has lost its ``.git``, so that only folders are followed.
    """
    for _ in range(_DEEPEST):
        folder = _folder(remote, root)
        if folder is None or _remote(git, folder):
            break
        said = next((text for place in (".git/FETCH_HEAD", "FETCH_HEAD") if (text := _text(folder / place))), "")
        found = re.search(r"\t(?:.* of )?(\S[^\t]*)$", said.strip())
        before = found[1] if found else ""
        names = [before, f"{before}.git"] if before else []
        places = [(word, place) for word in names if (place := _folder(word, folder)) is not None]
        further = [word for word, place in places if _ask(git, place, ["cat-file", "-t", commit]) == ["commit"]]
        if not further:
            break
        remote = further[0]
    return remote


def _folder(remote: str, root: Path) -> Path | None:
    """Return the folder that a remote is, or None when it is none that is here."""
    if "://" in remote and not remote.startswith("file://"):
        return None
    place = root / _plain(remote.removeprefix("file://"))
    return place if remote and place.is_dir() else None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _ask(git: Path, folder: Path, words: Sequence[str]) -> list[str]:
    """Return the lines that git answers with; none when it refuses.

    A checkout that belongs to another user is asked all the same, as in a container: nothing is run from its configuration by
    these questions.
    """
    changes: dict[str, str | None] = dict.fromkeys((name for name in os.environ if name.startswith("GIT_")), None)
    done = process.run(
        [git, "-c", "safe.directory=*", *words], cwd=folder, env=process.environment({**changes, "LC_ALL": "C"}), timeout=60
    )
    return done.stdout.rstrip("\r\n").splitlines() if done.code == 0 else []


def _plain(path: str) -> str:
    """Return the path of a ``file://`` URL: ``%20`` is a space; on Windows ``/C:/x`` is ``C:/x``."""
    text = re.sub(r"(?:%[0-9A-Fa-f]{2})+", lambda match: bytes.fromhex(match[0].replace("%", "")).decode(errors="replace"), path)
    return text[1:] if re.match(r"/[A-Za-z]:", text) else text
