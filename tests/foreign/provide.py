"""Make real foreign Pythons for the tests, in a folder that is kept.

    python tests/foreign/provide.py                    the ones the tests want by default
    python tests/foreign/provide.py windows_amd64      all of one target
    python tests/foreign/provide.py emscripten_wasm32-3.11 linux_arm64
    python tests/foreign/provide.py --list

Needs Python 3.10 and nothing else. What a finished folder holds is left alone unless its pins changed; each is built
aside and renamed into place. As root on Debian, missing programs (qemu-user-static, wine64, nodejs, npm, maven) are
installed; otherwise they are named. ``pythons.py`` finds and runs what this made.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from catalogue import MANIFEST, ROOT_VARIABLE, Catalogue, Entry, default_root, load
from fetching import Downloads, ProvideError, Tools
from pythons import WINE
from recipes import Workshop, make, wine_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_ASIDE = ".aside-"


def choose(catalogue: Catalogue, words: Sequence[str]) -> list[Entry]:
    """The entries that ``words`` name, each after those it requires.

    A word is an entry's name, a target (all its entries) or ``all``; no words at all mean the default ones.
    Raises ProvideError for an unknown word.
    """
    entries = catalogue.entries
    chosen: list[Entry] = []

    def add(entry: Entry) -> None:
        for name in entry.requires:
            add(entries[name])
        if entry not in chosen:
            chosen.append(entry)

    for word in words:
        # linux_arm64 is both a name and a target: the name wins.
        one = [entries[word]] if word in entries else []
        named = one or [entry for entry in entries.values() if word in {entry.target, "all"}]
        if not named:
            message = f"no foreign Python is called {word!r}; there are: {', '.join(entries)}"
            raise ProvideError(message)
        for entry in named:
            add(entry)
    if not words:
        for entry in entries.values():
            if entry.default:
                add(entry)
    return chosen


def finished(entry: Entry, folder: Path) -> bool:
    """Whether the folder holds this entry, made of the pins as they are now."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    if entry.recipe == "wine" and (wine := WINE.find()) and manifest["wine"] != wine_version(wine):
        return False
    return bool(manifest["stamp"] == entry.stamp)


def provide(entry: Entry, root: Path, downloads: Downloads) -> None:
    """Make one entry below ``root``; its folder appears there whole or not at all. Raises ProvideError."""
    with tempfile.TemporaryDirectory(dir=root, prefix=_ASIDE) as aside:
        folder = Path(aside, entry.name)
        folder.mkdir()
        scratch = Path(aside, "scratch")
        scratch.mkdir()
        manifest = make(Workshop(downloads.tools, downloads, root, scratch), entry, folder)
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        final = root / entry.name
        if final.exists():
            final.rename(Path(aside, "old"))
        folder.rename(final)


@contextlib.contextmanager
def locked(root: Path) -> Iterator[None]:
    """Hold the folder for one provider at a time, and clear away what one that was killed left aside."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in root.glob(f"{_ASIDE}*"):
            shutil.rmtree(left)
        yield


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _list(catalogue: Catalogue, root: Path) -> None:
    for entry in catalogue.entries.values():
        state = "there" if finished(entry, root / entry.name) else "-"
        size = sum(one.size for one in entry.downloads) / 1e6
        mark = "default" if entry.default else ""
        _say(f"{entry.name:30} {state:6} {mark:8} {entry.recipe:8} {f'{size:.0f} MB' if size else '':>7}")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    description = (__doc__ or "").strip()
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="name", help="an entry of pins.json, a target, or all")
    parser.add_argument(
        "--into", type=Path, metavar="DIR", help=f"the folder; without it ${ROOT_VARIABLE} or one in the user's cache"
    )
    parser.add_argument("--list", action="store_true", help="say what there is to be had, and make nothing")
    parser.add_argument("--no-install", action="store_true", help="never install a missing program by apt-get")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; 0 when all that was asked for is there, 1 when something could not be made."""
    options = _parse(arguments)
    catalogue = load()
    root = (options.into or default_root()).absolute()
    if options.list:
        _list(catalogue, root)
        return 0
    begun = time.monotonic()
    try:
        chosen = choose(catalogue, options.names)
    except ProvideError as error:
        _say(str(error))
        return 1
    with locked(root), tempfile.TemporaryDirectory(dir=root, prefix=_ASIDE) as folder:
        tools = Tools(install=not options.no_install, say=_say)
        failed = _provide_all(chosen, root, Downloads(tools, Path(folder), catalogue.maven_plugin))
    _say(f"{len(chosen) - len(failed)} of {len(chosen)} in {root}, {time.monotonic() - begun:.1f} s")
    return 1 if failed else 0


def _provide_all(chosen: Sequence[Entry], root: Path, downloads: Downloads) -> set[str]:
    """Make what is not there; the names of those that could not be made. The others are worth having all the same."""
    wanted = [entry for entry in chosen if not finished(entry, root / entry.name)]
    for entry in chosen:
        if entry not in wanted:
            _say(f"{entry.name}: there")
    if from_maven := {one for entry in wanted for one in entry.downloads if one.client == "maven"}:
        # If one of them is not to be had, each is asked for again by itself, and that one's entry says why.
        with contextlib.suppress(ProvideError):
            downloads.maven(sorted(from_maven, key=lambda one: one.file))
    failed: set[str] = set()
    for entry in wanted:
        start = time.monotonic()
        try:
            if missing := failed.intersection(entry.requires):
                raise _wanting(missing)
            provide(entry, root, downloads)
        except ProvideError as error:
            failed.add(entry.name)
            _say(f"{entry.name}: FAILED: {error}")
        else:
            _say(f"{entry.name}: made in {time.monotonic() - start:.1f} s")
    return failed


def _wanting(missing: Iterable[str]) -> ProvideError:
    return ProvideError(f"it needs {', '.join(sorted(missing))}")


if __name__ == "__main__":
    sys.exit(main())
