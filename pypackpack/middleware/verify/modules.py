"""Extension modules and libraries of a wheel against its tags: what it says it runs on, and what its files take.

``tag_problems`` finds what makes a tag a lie: another processor, another Python, a newer C library. ``library_problems`` finds
what a machine with that tag does not have: libraries of others, and what is not in the stable ABI. The second is the audit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pypackpack.middleware.verify import system_libraries as system

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pypackpack.middleware.verify.platform_tags import PlatformTag
    from pypackpack.model.image import Image

_BOUND: Final = re.compile(r"(?P<stem>[^.]+)\.(?:cpython-|cp)(?P<python>\d+)t?(?:-(?P<rest>[\w-]+))?\.(?:so|pyd)")
_PYTHON_DLL: Final = re.compile(r"python(\d)(\d+)t?(?:_d)?\.dll")
_PYTHON_LIBRARY: Final = re.compile(r"libpython\d[\d.]*\w*\.(?:so|dylib)|Python\.framework/")
_INIT: Final = ("PyInit_", "PyInitU_")
_SERIES: Final = re.compile(r"cp(\d)(\d+)")


@dataclass(frozen=True)
class Tags:
    """What an artifact says that it is for: the tags of a wheel, from its file name, or those of the wheels of a binary's target.

    Attributes:
        pythons: ``cp313`` …
        abis: ``cp313``, ``abi3``, ``none`` …
        platforms: Its platforms.
        target: Of a binary, the name of its target.
    """

    pythons: tuple[str, ...]
    abis: tuple[str, ...]
    platforms: tuple[PlatformTag, ...]
    target: str = ""

    @property
    def where(self) -> str:
        """What says for which platform it is, for errors."""
        return f"the target {self.target}" if self.target else "the tag"

    @property
    def when(self) -> str:
        """What says for which Python it is, for errors."""
        return "the manifest" if self.target else "the tag"

    @property
    def stable(self) -> bool:
        """Whether it says that its modules are of the stable ABI."""
        return "abi3" in self.abis

    @property
    def lowest(self) -> tuple[int, int] | None:
        """The first CPython that it is for; None where it says none."""
        found = [(int(each[1]), int(each[2])) for tag in self.pythons if (each := _SERIES.fullmatch(tag))]
        return min(found) if found else None


@dataclass(frozen=True)
class NativeFile:
    """A linked file of a wheel: its path in it, and what its parts say."""

    path: str
    images: tuple[Image, ...]

    @property
    def base(self) -> str:
        """Its file name."""
        return self.path.rpartition("/")[2]

    @property
    def is_module(self) -> bool:
        """Whether Python may import it."""
        ends = self.base.endswith((".so", ".pyd"))
        return ends and any(name.startswith(_INIT) for image in self.images for name in image.exports)


def tag_problems(file: NativeFile, tags: Tags) -> Iterator[str]:
    """Yield what a file has that the wheel's tags do not say, a sentence each."""
    formats = {image.format for image in file.images}
    machines = {image.machine for image in file.images}
    fitting = [tag for tag in tags.platforms if tag.format in formats and machines.issuperset(tag.machines)]
    if not fitting:
        words = " and ".join(sorted(f"{image.format} for {image.machine}" for image in file.images))
        said = ".".join(tag.text for tag in tags.platforms)
        where = tags.where if tags.target else "the wheel's tag"
        yield f"{file.path} is {words}, and {where} says {said}"
        return
    for tag in fitting:
        for image in file.images:
            if image.machine in tag.machines:
                yield from _system_problems(file.path, image, tag, tags.where)
    yield from _python_problems(file, tags)


def _system_problems(path: str, image: Image, tag: PlatformTag, where: str) -> Iterator[str]:
    newest = newest_symbol(image, "GLIBC")
    if tag.system == "manylinux" and newest > tag.version:
        yield f"{path} needs glibc {_dotted(newest)}, and {where} says {_dotted(tag.version)}"
    elif tag.system in ("musllinux", "android") and newest:
        yield f"{path} needs glibc {_dotted(newest)}, and {where} says {tag.system}"
    if tag.system == "manylinux" and any(re.fullmatch(r"libc\.musl-.*", each) for each in image.needs):
        yield f"{path} needs musl, and {where} says manylinux"
    if tag.format != "macho":
        return
    wanted = "ios-simulator" if tag.simulator else tag.system
    if image.platform and image.platform != wanted:
        yield f"{path} is for {image.platform}, and {where} says {wanted}"
    elif image.oldest is not None and image.oldest > _floor(tag, image):
        said = f"{where} says {_dotted(tag.version)}"
        yield f"{path} needs {tag.system} {_dotted(image.oldest)} for {image.machine}, and {said}"


def _floor(tag: PlatformTag, image: Image) -> tuple[int, ...]:
    """Return the version that a part may need: the first Macs with Apple's processors had macOS 11."""
    return max(tag.version, (11, 0)) if tag.system == "macos" and image.machine == "arm64" else tag.version


def _python_problems(file: NativeFile, tags: Tags) -> Iterator[str]:
    bound = _BOUND.fullmatch(file.base)
    series = {f"cp{bound['python']}"} if bound else set()
    if bound and tags.stable:
        yield f"{file.path} is for Python {_series(bound['python'])} only by its name, and the tag says abi3"
    elif bound and not series.intersection(tags.abis) and not series.intersection(tags.pythons):
        yield f"{file.path} is for Python {_series(bound['python'])} by its name, and {tags.when} says {'.'.join(tags.pythons)}"
    elif ".abi3." in file.base and not tags.stable and tags.abis == ("none",):
        yield f"{file.path} is an extension module, and the tag says that there is no ABI"
    if bound and bound["rest"] and (wrong := _other_machine(bound["rest"], file)):
        yield f"{file.path} is named for {wrong}, and is for {' and '.join(image.machine for image in file.images)}"
    if bound or ".abi3." in file.base:
        yield from _init_problems(file)
    for image in file.images:
        for name in image.needs:
            found = _PYTHON_DLL.fullmatch(name.lower())
            if found and tags.stable:
                yield f"{file.path} loads {name}, and the tag says abi3, whose modules load python3.dll"
            elif found and (int(found[1]), int(found[2])) != tags.lowest:
                yield f"{file.path} loads {name}, and {tags.when} says {'.'.join(tags.pythons)}"


def _series(digits: str) -> str:
    return f"{digits[0]}.{digits[1:]}"


_NAMED_MACHINES: Final = {
    "x86_64": ("x86_64", "amd64"),
    "aarch64": ("aarch64", "arm64"),
    "i686": ("i386", "win32"),
    "armv7l": ("arm",),
    "ppc64le": ("powerpc64le",),
    "s390x": ("s390x",),
    "riscv64": ("riscv64",),
    "wasm32": ("wasm32",),
}


def _other_machine(rest: str, file: NativeFile) -> str:
    """Return the processor that a suffix names, where the file is for another one; ``darwin`` names none."""
    words = re.split(r"[-]|(?<=win)_", rest)
    named = {machine for machine, names in _NAMED_MACHINES.items() if not set(words).isdisjoint(names)}
    return "" if not named or named & {image.machine for image in file.images} else ", ".join(sorted(named))


def _init_problems(file: NativeFile) -> Iterator[str]:
    stem = file.base.partition(".")[0]
    name = file.path.split("/")[-2] if stem == "__init__" and "/" in file.path else stem
    wanted = f"PyInit_{name}" if name.isascii() else "PyInitU_" + name.encode("punycode").decode().replace("-", "_")
    for image in file.images:
        if wanted not in image.exports:
            yield f"{file.path} has no {wanted}, which Python calls to import it"


def newest_symbol(image: Image, word: str) -> tuple[int, ...]:
    """Return the newest version of a kind (``GLIBC``) that a file needs; empty for none."""
    found = (version[len(word) + 1 :] for _, version in image.versions if version.startswith(f"{word}_"))
    return max((numbers for each in found if (numbers := _numbers(each))), default=())


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")) if re.fullmatch(r"\d+(\.\d+)*", text) else ()


def _dotted(version: Iterable[int]) -> str:
    return ".".join(map(str, version))


def library_problems(file: NativeFile, tags: Tags, inside: Sequence[str]) -> Iterator[str]:
    """Yield what a file loads that neither the platform nor the wheel has, a sentence each.

    Args:
        file: The file.
        tags: The wheel's tags.
        inside: File names of the libraries that the wheel brings.
    """
    own = {name.lower() for name in inside}
    for image in file.images:
        tag = next((each for each in tags.platforms if each.format == image.format and image.machine in each.machines), None)
        if tag is None:
            continue
        for name in image.needs:
            base = name.replace("\\", "/").rpartition("/")[2].lower()
            if base in own or _is_there(name, tag):
                continue
            if _PYTHON_LIBRARY.search(name):
                yield f"{file.path} loads {name}: which Python is running, only Python itself knows"
            else:
                yield f"{file.path} loads {name}, which is neither in the wheel nor on every machine with the tag {tag.text}"
        yield from _hygiene(file.path, image, tag)
    if tags.stable and file.is_module:
        yield from _unstable(file, tags.lowest)


def _is_there(name: str, tag: PlatformTag) -> bool:
    if tag.system in ("manylinux", "linux"):
        return name in system.MANYLINUX or bool(system.LOADER.fullmatch(name))
    if tag.system == "musllinux":
        return bool(system.MUSLLINUX.fullmatch(name) or system.LOADER.fullmatch(name))
    if tag.system == "android":
        return name in system.ANDROID or bool(_PYTHON_LIBRARY.match(name))  # there a module names Python's library (PEP 738)
    if tag.system == "windows":
        low = name.lower()
        sets = system.WINDOWS_SETS.fullmatch(low) or _PYTHON_DLL.fullmatch(low)
        return low in system.WINDOWS or low in system.WINDOWS_PYTHON or bool(sets)
    if tag.system in ("macos", "ios"):
        return name.startswith(system.APPLE) or (tag.system == "ios" and name == "@rpath/Python.framework/Python")
    return False


def _hygiene(path: str, image: Image, tag: PlatformTag) -> Iterator[str]:
    for folder in image.paths:
        if not folder.startswith(("$ORIGIN", "${ORIGIN}", "@loader_path", "@executable_path")):
            yield f"{path} looks for libraries in {folder}, a folder of the machine that built it"
    if image.format == "macho" and image.machine == "arm64" and not image.signed:
        yield f"{path} has no signature, and macOS on arm64 loads only what has one"
    if tag.system != "manylinux":
        return
    known = max((version for version in system.SYMBOLS if version <= tag.version), default=None)
    for word, most in (system.SYMBOLS[known] if known else {}).items():
        newest = newest_symbol(image, word)
        if newest > most:
            yield f"{path} needs {word}_{_dotted(newest)}, and systems with the tag {tag.text} have {word}_{_dotted(most)}"


def _unstable(file: NativeFile, lowest: tuple[int, int] | None) -> Iterator[str]:
    """Yield what a module takes of Python that is not in the stable ABI, or not yet in that of its first Python."""
    from abi3info import DATAS, FUNCTIONS  # noqa: PLC0415 - import cost, only for modules of the stable ABI

    known = {symbol.name: item.added for table in (FUNCTIONS, DATAS) for symbol, item in table.items()}
    taken = {name for image in file.images for name in image.imports if name.startswith(("Py", "_Py"))}
    for name in sorted(taken):
        added = known.get(name)
        if added is None:
            yield f"{file.path} uses {name}, which is not in the stable ABI"
        elif lowest is not None and (added.major, added.minor) > lowest:
            since = f"{added.major}.{added.minor}"
            yield f"{file.path} uses {name}, which the stable ABI has from {since} on; the tag says {_dotted(lowest)}"
