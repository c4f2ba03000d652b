"""emcc, Emscripten's own compiler, for WebAssembly: with its C library's headers, which zig has not.

A module is a side module of Pyodide's interpreter (Emscripten's "Dynamic Linking").
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pypackpack.backend import filesystem
from pypackpack.backend.host import find_program
from pypackpack.backend.tools.driver import COMMON, DEBUG, RELEASE, Driver, names, numbers, says, setting_hint, version_in
from pypackpack.backend.tools.toolchain import init_symbol, written
from pypackpack.model.errors import FilesystemError, ToolError
from pypackpack.model.toolchain import FoundToolchain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pypackpack.backend.tools.toolchain import ModuleJob, Toolchain
    from pypackpack.model.target import Target
    from pypackpack.model.toolchain import Surroundings

OLDEST: Final = (3, 1, 6)
"""The oldest whose modules were run in Pyodide."""

_HINT: Final = (
    "Get emsdk (https://emscripten.org/docs/getting_started/downloads.html) and activate it, or install emscripten (Debian: "
    "apt-get install emscripten); EMSDK, or PYPACKPACK_EMCC=/path/to/emcc, says where it is."
)
_OWN_VARIABLES: Final = ("EMSDK", "EM_CONFIG", "EM_CACHE", "EMSDK_NODE", "EMSDK_PYTHON")
"""What emcc needs to find its own parts."""


@dataclass(frozen=True)
class EmccAdapter:
    """How emcc is found and called (`toolchain.Adapter`)."""

    name: str = "emcc"
    title: str = "emcc"
    flags_version: str = "1"

    def serves(self, target: Target) -> bool:
        """Tell whether it can build for a target at all."""
        return target.object_format == "wasm"

    def find(self, target: Target, program: str, around: Surroundings) -> FoundToolchain:
        """Look for emcc: the one that the settings name, that of ``PYPACKPACK_EMCC``, emsdk's, or the one on PATH."""
        del target  # it has one
        named = program or around.variables.get("PYPACKPACK_EMCC", "")
        sdk = around.variables.get("EMSDK", "")
        end = ".bat" if around.system == "win32" else ""
        wanted = [named] if named else [*([str(Path(sdk) / "upstream" / "emscripten" / f"emcc{end}")] if sdk else []), "emcc"]
        place = find_program(wanted)
        if place is None:
            hint = setting_hint(program, "emcc") if program else _HINT
            return FoundToolchain("emcc", missing=f"there is no {named or 'emcc'}", hint=hint)
        own = {name: around.variables[name] for name in _OWN_VARIABLES if name in around.variables}
        try:
            said = says(place, "--version", env=own)
        except ToolError as error:
            return FoundToolchain("emcc", place=place, missing=error.message, hint=_HINT)
        version, line = version_in(said), said.splitlines()[0]
        if numbers(version) < OLDEST:
            msg = f"{place} is {line}, and emcc {'.'.join(map(str, OLDEST))} is the oldest that works"
            return FoundToolchain("emcc", version, place, missing=msg, hint=_HINT)
        programs = {"cc": place, "c++": place.with_name(f"em++{place.suffix}")}
        try:
            identity = (("emcc", line), *_settings(place, own, around.home))
        except FilesystemError as error:
            return FoundToolchain("emcc", version, place, missing=error.message, hint=_HINT)
        return FoundToolchain("emcc", version, place, identity, programs=programs)

    def flags(self, target: Target, *, release: bool) -> tuple[str, ...]:
        """Return the words that decide an object besides its source."""
        del target
        return (*COMMON, *(RELEASE if release else DEBUG), "-fPIC", "-fno-ident")

    def open(self, found: FoundToolchain, cache: Path) -> Toolchain:
        """Return what works with emcc."""
        del cache  # it has a cache of its own, which a distribution ships ready
        own = {name: value for name, value in os.environ.items() if name in _OWN_VARIABLES}
        return Emcc(self, Driver(f"emcc {found.version}", found.programs["cc"], found.programs["c++"], own))


def _settings(emcc: Path, own: Mapping[str, str], home: Path) -> tuple[tuple[str, str], ...]:
    """Return the digest of the settings that emcc reads: where its clang, its linker and its libraries are.

    They are the file that ``EM_CONFIG`` names, else ``.emscripten`` beside emcc, else that in the person's folder (source:
    ``tools/config.py`` of Emscripten).

    Raises:
        FilesystemError: They cannot be read.
    """
    named = own.get("EM_CONFIG", "")
    places = [Path(named)] if named else [emcc.resolve().parent / ".emscripten", home / ".emscripten"]
    found = next((place for place in places if named or place.is_file()), None)
    return () if found is None else (("emcc's settings", filesystem.sha256_bytes(filesystem.read_bytes(found))),)


@dataclass(frozen=True)
class Emcc:
    """emcc at work (`toolchain.Toolchain`)."""

    adapter: EmccAdapter
    driver: Driver

    def build_module(self, job: ModuleJob, scratch: Path) -> bytes:
        """Compile and link one extension module and return its bytes (`toolchain.Toolchain`)."""
        scratch = scratch.resolve()
        objects = [*self._compile(job, scratch), *written(job.objects, scratch)]
        out, what = f"module{job.suffix}", f"linking {job.path} for {job.target.name}"
        # 64-bit integers as the browser has them, as in Pyodide: otherwise signatures do not fit at load.
        words: list[str | Path] = [self.driver.linker(job), "-sSIDE_MODULE=2", "-sWASM_BIGINT"]
        words += [f"-sEXPORTED_FUNCTIONS=_{init_symbol(job.name)}", *(["-O2"] if job.release else ["-O0", "-g"])]
        self.driver.run([*words, *names(objects), "-o", out, *job.link_options], scratch, what)
        return filesystem.read_bytes(self.driver.made(scratch / out, what))

    def build_object(self, job: ModuleJob, scratch: Path) -> bytes:
        """Compile one source and return the object (`toolchain.ObjectToolchain`)."""
        (made,) = self._compile(job, scratch.resolve())
        return filesystem.read_bytes(made)

    def _compile(self, job: ModuleJob, scratch: Path) -> list[Path]:
        return self.driver.compile(job, scratch, self.adapter.flags(job.target, release=job.release), ())


ADAPTER: Final = EmccAdapter()
