"""A package with its dependencies, as a binary and a fat wheel hold them: which file is whose."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from pypackpack.backend.records import record_rows
from pypackpack.middleware.inspect.wheel import parted
from pypackpack.model.errors import FilesystemError
from pypackpack.model.inspection import InspectedDependency

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pypackpack.middleware.inspect.wheel import Listed

_INFO = ".dist-info"


def is_metadata(path: str) -> bool:
    """Tell whether a file lies in a metadata folder."""
    return path.partition("/")[0].endswith(_INFO)


def owners(files: Mapping[str, Any], read: Callable[[str], bytes]) -> dict[str, str]:
    """Return path → name of the distribution that lists the file in its ``RECORD``.

    Args:
        files: By path.
        read: Gives a file's bytes.

    Raises:
        DamagedArtifactError: A ``RECORD`` in an archive is damaged.
    """
    found: dict[str, str] = {}
    for name in files:
        info, _, rest = name.partition("/")
        if rest != "RECORD" or not info.endswith(_INFO):
            continue
        owner = info.removesuffix(_INFO).partition("-")[0]
        try:
            data = read(name)
        except FilesystemError:
            continue  # who inspects a folder says that it is gone
        for row in record_rows(data, name):
            found.setdefault(row[0], owner)
    return found


def dependencies(
    told: Mapping[str, tuple[str, str]], files: Mapping[str, Listed], whose: Mapping[str, str]
) -> tuple[InspectedDependency, ...]:
    """Return what is known of the dependencies.

    Args:
        told: Name → version and level of each.
        files: All files, by path.
        whose: Path → name.
    """
    return tuple(
        _dependency(name, *told[name], {each: file for each, file in files.items() if whose.get(each) == name})
        for name in sorted(told)
    )


def _dependency(name: str, version: str, level: str, files: Mapping[str, Listed]) -> InspectedDependency:
    modules, _ = parted({path: file for path, file in files.items() if not is_metadata(path)}, "", None)
    counts = Counter(module.form for module in modules)
    size = sum(file.size for file in files.values())
    return InspectedDependency(name, version, level, tuple(sorted(counts.items())), len(files), size)
