"""Which of a locked dependency's wheels an installer takes on a target (PEP 425): the order of tags is that of ``packaging``."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

from pypackpack.middleware.dependency.vendored import wheel_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.tags import Tag

    from pypackpack.model.target import PythonVersion, Target

_MANYLINUX_OLDEST = {"x86_64": 5, "i686": 5}
_MANYLINUX_NAMES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}


def best_wheel(wheels: Iterable[Mapping[str, Any]], names: Sequence[str], python: PythonVersion) -> Mapping[str, Any] | None:
    """Return the wheel of a ``pylock.toml`` entry that an environment takes, or None when none fits.

    Args:
        wheels: The entry's ``wheels``.
        names: The platform tags that fit, best first (`platforms`, `host_platforms`); none leaves the wheels that run anywhere.
        python: For which Python.
    """
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename  # noqa: PLC0415 - import cost

    ranks = _ranks(tuple(names), python)
    found: list[tuple[tuple[int, int, str], Mapping[str, Any]]] = []
    for wheel in wheels:
        try:
            _, _, build, tags = parse_wheel_filename(wheel_file(wheel))
        except InvalidWheelFilename:
            continue
        fitting = [ranks[tag] for tag in tags if tag in ranks]
        if fitting:
            number, text = build or (-1, "")
            found.append(((-min(fitting), number, text), wheel))
    return max(found, key=lambda item: item[0])[1] if found else None


@functools.lru_cache(maxsize=256)
def _ranks(names: tuple[str, ...], python: PythonVersion) -> dict[Tag, int]:
    from packaging.tags import compatible_tags, cpython_tags  # noqa: PLC0415 - import cost

    series = f"cp{python[0]}{python[1]}"
    tags = [*(cpython_tags(python, platforms=names) if names else ()), *compatible_tags(python, series, names or ("any",))]
    return {tag: rank for rank, tag in reversed(list(enumerate(tags)))}


def host_platforms() -> list[str]:
    """Return the platform tags that fit this machine, best first."""
    from packaging.tags import platform_tags  # noqa: PLC0415 - import cost

    return list(platform_tags())


def platforms(target: Target, python: PythonVersion) -> list[str]:
    """Return the platform tags that fit a target, best first; empty when uv has no name for it."""
    from packaging import tags  # noqa: PLC0415 - import cost

    name = target.uv(python)
    own = target.tags.for_python(python)
    if not name or not own:
        return []
    if target.family == "linux":
        return _linux(own[0], name)
    version = tuple(int(number) for number in target.version.split(".") if number.isdigit())
    if target.family == "macos" and version:
        return list(tags.mac_platforms((version[0], version[1] if len(version) > 1 else 0), target.platform_machine))
    if target.family == "android" and version:
        return list(tags.android_platforms(version[0], own[0].split("_", 2)[2]))
    if target.family == "ios" and len(version) > 1:
        return list(tags.ios_platforms((version[0], version[1]), own[0].split("_", 3)[3].replace("_", "-")))
    return list(own)


def _linux(tag: str, uv_name: str) -> list[str]:
    """Return manylinux or musllinux tags (PEP 600, PEP 656) from a target's own one downwards."""
    found = re.fullmatch(r"(manylinux|musllinux)_(\d+)_(\d+)_(\w+)", tag)
    if found is None:
        return [tag]
    kind, major, minor, arch = found[1], int(found[2]), int(found[3]), found[4]
    if kind == "musllinux":
        return [*(f"musllinux_{major}_{number}_{arch}" for number in range(minor, -1, -1)), f"linux_{arch}"]
    told = re.search(r"manylinux_\d+_(\d+)", uv_name)  # uv may have a name for a lower version only, and then installs for that
    names = []
    for number in range(int(told[1]) if told else minor, _MANYLINUX_OLDEST.get(arch, 17) - 1, -1):
        names.append(f"manylinux_{major}_{number}_{arch}")
        if number in _MANYLINUX_NAMES:
            names.append(f"{_MANYLINUX_NAMES[number]}_{arch}")
    return [*names, f"linux_{arch}"]
