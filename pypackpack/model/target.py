"""Targets: the platforms that a package is built for, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pypackpack.model.environment import SyncResult

PythonVersion = tuple[int, int]


@dataclass(frozen=True)
class WheelTags:
    """The platform tags that a target's wheels carry (PEP 425), by Python version.

    ``default`` serves every version that ``by_python`` does not name; several tags make one compressed tag set
    (``manylinux_2_17_x86_64.manylinux2014_x86_64``).
    """

    default: tuple[str, ...]
    by_python: Mapping[PythonVersion, tuple[str, ...]]

    def for_python(self, python: PythonVersion) -> tuple[str, ...]:
        """Return the platform tags for one Python version; empty when that platform has no such Python."""
        return self.by_python.get(python, self.default)


@dataclass(frozen=True)
class Target:
    """One platform: a row of ``data/targets.toml``.

    Attributes:
        name: Canonical name, ``<family>[_<variant or version>]_<arch>``.
        family: First word of the name; names the overlay folder ``src/<family>``.
        arch: Last word of the name.
        summary: A few words for people.
        tags: Platform tags of its wheels.
        sys_platform: ``sys.platform`` on it (PEP 508 marker).
        platform_machine: ``platform.machine()`` on it (PEP 508 marker).
        platform_system: ``platform.system()`` on it (PEP 508 marker).
        os_name: ``os.name`` on it (PEP 508 marker).
        toolchain: What builds it, unless settings name another: ``zig``, ``ndk`` or ``xcode``.
        triple: What the toolchain calls it (``x86_64-linux-gnu.2.17``); empty where it does not apply.
        object_format: ``elf``, ``macho``, ``coff`` or ``wasm``.
        uv_platform: uv's ``--python-platform`` name; empty where uv has none.
        extension_suffix: File name suffix of extension modules, with ``{py}`` for the digits of the Python version.
        extension_suffix_by_python: Exceptions from it.
        min_python: First Python version of this platform.
        default_of_family: Whether the family's name alone, as an argument of ``target add``, means this target.
        row: Name of the row that it comes from: ``linux_x86_64`` for ``linux_2_28_x86_64``.
        version: The version of the platform, ``2.17``; empty where targets of its row have none.
        parts: Names of the targets that it is put together from (``macos_universal2``), else empty.
        uv_platform_by_python: Exceptions from ``uv_platform``.
        uv_environment: What uv has to be told besides the name: pairs of an environment variable and its value.
    """

    name: str
    family: str
    arch: str
    summary: str
    tags: WheelTags
    sys_platform: str
    platform_machine: str
    platform_system: str
    os_name: str
    toolchain: str
    triple: str
    object_format: str
    uv_platform: str
    extension_suffix: str
    extension_suffix_by_python: Mapping[PythonVersion, str]
    min_python: PythonVersion
    default_of_family: bool
    row: str = ""
    version: str = ""
    parts: tuple[str, ...] = ()
    uv_platform_by_python: Mapping[PythonVersion, str] = field(default_factory=dict)
    uv_environment: tuple[tuple[str, str], ...] = ()

    def __hash__(self) -> int:
        """Hash by the name, which is unique (two of the fields are mappings)."""
        return hash(self.name)

    def uv(self, python: PythonVersion) -> str:
        """Return uv's ``--python-platform`` name for one Python version; empty where uv has none."""
        return self.uv_platform_by_python.get(python, self.uv_platform)

    def suffix(self, python: PythonVersion, *, limited: bool = False) -> str:
        """Return the suffix of an extension module, such as ``.cpython-313-x86_64-linux-gnu.so``; ``limited``: of the stable ABI.

        Windows has no name of its own for the stable ABI (``importlib.machinery.EXTENSION_SUFFIXES``).
        """
        if limited:
            return ".pyd" if self.object_format == "coff" else ".abi3.so"
        pattern = self.extension_suffix_by_python.get(python, self.extension_suffix)
        return pattern.replace("{py}", f"{python[0]}{python[1]}")


@dataclass(frozen=True)
class TargetChange:
    """One target added to a package, or removed from it.

    Attributes:
        package: Name of the package.
        target: Canonical name of the target.
        word: What the person called it.
        changed: False when it was there already, or for `remove` in a package that did not have it.
        folders: Folders made or removed, relative to the project, with ``/``.
        synced: What became of the package's lock and environments; with its last change only, and None where there is no lock.
    """

    package: str
    target: str
    word: str
    changed: bool
    folders: tuple[str, ...] = ()
    synced: SyncResult | None = None


@dataclass(frozen=True)
class TargetListing:
    """One known target, as ``target list`` shows it.

    Attributes:
        name: Canonical name.
        family: Its family.
        summary: A few words for people.
        versions: How a versioned name of it looks (``linux_<version>_x86_64``), else empty.
        enabled_in: The project's packages that have it.
        builder: What builds it, as the table or the settings of the packages that have it say: ``zig``, ``NDK``, ``gcc`` …
        buildable: Whether native code can be built for it here and now.
        why_not: What is missing when not.
        runner: What runs it on this machine: ``itself``, or a program's name; empty when nothing does.
        runner_path: Where that program is; None for ``itself`` and when there is none.
        builder_version: Which version of what builds it was found; empty when none was.
        builder_path: Where that lies; None for zig, which comes by itself, and when it was not found.
        what_to_do: What to get when something is missing, and where from.
        toolchains: What could build it, on some machine, as the setting ``toolchain`` calls it.
    """

    name: str
    family: str
    summary: str
    versions: str
    enabled_in: tuple[str, ...]
    builder: str
    buildable: bool
    why_not: str = ""
    runner: str = ""
    runner_path: Path | None = None
    builder_version: str = ""
    builder_path: Path | None = None
    what_to_do: str = ""
    toolchains: tuple[str, ...] = ()
