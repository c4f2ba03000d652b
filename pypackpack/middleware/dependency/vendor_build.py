"""Wheels for ``vendor`` of what has none on an index: repositories, folders, archives of sources. They are built once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pypackpack.backend import filesystem
from pypackpack.middleware.dependency.vendored_sources import listed
from pypackpack.middleware.dependency.wheels import best_wheel
from pypackpack.model.build import Step
from pypackpack.model.errors import PyPackPackError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from pypackpack.model.build import Watcher
    from pypackpack.model.target import PythonVersion

NATIVE = "its source makes native code, which would serve this machine only"


@dataclass(frozen=True)
class User:
    """An environment that needs something.

    Attributes:
        label: What it is called.
        platforms: The platform tags that fit, best first.
        python: The Python version.
        executable: A Python to build with; None takes the one that we run on.
    """

    label: str
    platforms: Sequence[str]
    python: PythonVersion
    executable: Path | None = None


@dataclass
class Source:
    """Something that a wheel has to be built of.

    Attributes:
        key: Its name (`source_key`).
        name: The distribution.
        label: What it is called for a person.
        requirement: A PEP 508 string with its url.
        users: What needs it.
    """

    key: str
    name: str
    label: str
    requirement: str
    users: list[User] = field(default_factory=list)


@dataclass(frozen=True)
class Made:
    """A wheel that was built, now or before.

    Attributes:
        source: What it was built of.
        path: Where it lies now.
        sha256: Its digest (hex).
        users: What needs it.
    """

    source: str
    path: Path
    sha256: str
    users: tuple[str, ...]


def made(
    sources: Iterable[Source], folder: Path, scratch: Path, settings: str, left_out: dict[str, str], watcher: Watcher
) -> tuple[Made, ...]:
    """Return a wheel for each source and environment, built where there is none in ``vendor/`` yet.

    Args:
        sources: What they are built of.
        folder: ``vendor/``.
        scratch: A folder aside; the wheels lie there until they are put into ``vendor/``.
        settings: What ``uv.toml`` is to say while something is built.
        left_out: Gets what cannot be built, and why.
        watcher: Told of the progress.
    """
    wanted = list(sources)
    there = [item for item in listed(folder) if filesystem.sha256_file(folder / item.path) == item.sha256]
    found: list[Made] = []
    for number, source in enumerate(wanted):
        watcher.step(Step("", "", "build", number, len(wanted), detail=source.name))
        wheels = {folder / item.path: item.sha256 for item in there if item.source == source.key}
        users: dict[Path, list[str]] = {}
        for user in source.users:
            best = _fitting(wheels, user)
            if best is None:
                problem = _build(source, user, scratch, settings, wheels)
                best = _fitting(wheels, user)
                if best is None:
                    left_out.setdefault(source.label, f"{problem or NATIVE} ({user.label})")
                    continue
            users.setdefault(best, []).append(user.label)
        found += [Made(source.key, path, wheels[path], tuple(labels)) for path, labels in users.items()]
    if wanted:
        watcher.step(Step("", "", "build", len(wanted), len(wanted)))
    return tuple(found)


def _fitting(wheels: Mapping[Path, str], user: User) -> Path | None:
    names: list[dict[str, Any]] = [{"name": path.name, "path": path} for path in wheels]
    best = best_wheel(names, user.platforms, user.python)
    return best["path"] if best is not None else None


def _build(source: Source, user: User, scratch: Path, settings: str, wheels: dict[Path, str]) -> str:
    """Build a wheel into ``wheels``; returns why it could not be."""
    from pypackpack.backend.tools import resolver  # noqa: PLC0415 - keeps imports of the CLI light

    own = filesystem.unused_name(scratch, "build-")
    try:
        path = resolver.build_wheel(
            source.requirement, source.name, own, python=user.executable, series=user.python, settings=settings
        )
    except PyPackPackError as error:
        lines = [line.strip() for line in error.details.splitlines() if line.strip()]
        return f"it could not be built: {lines[-1] if lines else error.message}"
    wheels[path] = filesystem.sha256_file(path)
    return ""
