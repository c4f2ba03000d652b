"""Platform tags of wheels, taken apart: system, lowest version, processors (PEP 425, 600, 656, 730, 738, 783)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_FORMS: Final = (
    ("manylinux", re.compile(r"manylinux_(\d+)_(\d+)_(\w+)"), "elf"),
    ("musllinux", re.compile(r"musllinux_(\d+)_(\d+)_(\w+)"), "elf"),
    ("android", re.compile(r"android_(\d+)()_(\w+)"), "elf"),
    ("linux", re.compile(r"linux()()_(\w+)"), "elf"),
    ("macos", re.compile(r"macosx_(\d+)_(\d+)_(\w+)"), "macho"),
    ("ios", re.compile(r"ios_(\d+)_(\d+)_(\w+)"), "macho"),
    ("windows", re.compile(r"win()()_?(amd64|arm64|32)"), "coff"),
    ("emscripten", re.compile(r"(?:emscripten|pyemscripten|pyodide)_(\d+)_(\d+)(?:_\d+)?_(wasm32)"), "wasm"),
)
_OLD: Final = {"manylinux1": "manylinux_2_5", "manylinux2010": "manylinux_2_12", "manylinux2014": "manylinux_2_17"}
_MACHINES: Final = {
    ("windows", "amd64"): ("x86_64",),
    ("windows", "arm64"): ("aarch64",),
    ("windows", "32"): ("i686",),
    ("macos", "universal2"): ("arm64", "x86_64"),
    ("android", "arm64_v8a"): ("aarch64",),
    ("android", "armeabi_v7a"): ("armv7l",),
    ("android", "x86"): ("i686",),
    ("ios", "arm64_iphoneos"): ("arm64",),
    ("ios", "arm64_iphonesimulator"): ("arm64",),
    ("ios", "x86_64_iphonesimulator"): ("x86_64",),
}
"""System and end of the tag → the processors, as `pypackpack.model.image.Image` names them, where they differ."""


@dataclass(frozen=True)
class PlatformTag:
    """A platform tag.

    Attributes:
        text: As it stands in the file name.
        system: ``manylinux``, ``musllinux``, ``linux``, ``android``, ``macos``, ``ios``, ``windows``, ``emscripten``; or ``any``;
            empty for one that is not known.
        version: The lowest version that it says: of glibc, musl, macOS, iOS; of Android the API level; empty where it says none.
        machines: The processors that a file has to have code for, all of them.
        format: What a linked file is there: ``elf``, ``macho``, ``coff``, ``wasm``; empty for ``any``.
    """

    text: str
    system: str
    version: tuple[int, ...] = ()
    machines: tuple[str, ...] = ()
    format: str = ""

    @property
    def simulator(self) -> bool:
        """Whether it means a simulator of iOS."""
        return self.text.endswith("_iphonesimulator")


def platform_tag(text: str) -> PlatformTag:
    """Take a platform tag apart."""
    if text == "any":
        return PlatformTag(text, "any")
    word, _, rest = text.partition("_")
    said = f"{_OLD[word]}_{rest}" if word in _OLD else text
    for system, form, kind in _FORMS:
        if found := form.fullmatch(said):
            version = tuple(int(each) for each in found.groups()[:2] if each)
            return PlatformTag(text, system, version, _MACHINES.get((system, found[3]), (found[3],)), kind)
    return PlatformTag(text, "")
