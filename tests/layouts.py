"""Folders of compilers as their makers lay them out, with programs that note how they are called and write what they are told.

Recorded from the makers' own descriptions: the NDK's from r27's archive (its ``source.properties`` and ``meta/platforms.json``),
Visual Studio's and the Windows SDK's from the folders that ``vcvarsall.bat`` names, Xcode's from what ``xcrun`` answers. The programs
are real processes of this machine behind the same door as the real ones, so that only the compiling itself is played.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROGRAM = """#!{python} -IS
import json, os, re, shutil, sys
words = sys.argv[1:]
with open({log!r}, "a") as log:
    log.write(json.dumps([{name!r}, words, sorted(os.environ)]) + "\\n")
answers = json.loads({answers!r})
for said, answer in answers.items():
    if said in " ".join(words):
        print(answer)
        sys.exit(0)
failure = json.loads({failure!r})
if failure and failure["on"] in " ".join(words):
    print(failure["says"], file=sys.stderr)
    sys.exit(failure["code"])
place = words[words.index("-o") + 1] if "-o" in words else next(
    (word[len(start):].lstrip(":") for word in words for start in ("/Fo", "/OUT") if word.startswith(start)), "")
if place:
    shutil.copyfile({made!r}, place)
"""


def program(
    place: Path,
    log: Path,
    made: Path,
    *,
    answers: Mapping[str, str] | None = None,
    failure: Mapping[str, object] | None = None,
) -> Path:
    """Write a program that plays a compiler.

    Args:
        place: Where it lies.
        log: Gets a line of JSON for each call: name, words, names of variables.
        made: The file that it copies to where a call wants its output.
        answers: What it prints, by a part of its words.
        failure: ``on``, ``says`` and ``code``: with which words it fails, and how.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    text = PROGRAM.format(
        python=sys.executable,
        log=str(log),
        name=place.name,
        answers=json.dumps(answers or {}),
        failure=json.dumps(failure or {}),
        made=str(made),
    )
    place.write_text(text, encoding="utf-8")
    place.chmod(0o755)
    return place


def calls(log: Path) -> list[tuple[str, list[str]]]:
    """Return the calls that programs noted: name and words."""
    return [(name, words) for name, words, _ in map(json.loads, log.read_text().splitlines())]


def variables(log: Path) -> set[str]:
    """Return the names of all variables that a program got in some call."""
    return {name for _, _, names in map(json.loads, log.read_text().splitlines()) for name in names}


def lay_out_ndk(folder: Path, revision: str = "27.1.12297006", log: Path | None = None, made: Path | None = None) -> Path:
    """Lay out an NDK for Linux as r27's archive has it, as far as a compile looks at it."""
    host = folder / "toolchains" / "llvm" / "prebuilt" / "linux-x86_64"
    (host / "sysroot" / "usr" / "include").mkdir(parents=True)
    properties = f"Pkg.Desc = Android NDK\nPkg.Revision = {revision}\nPkg.BaseRevision = {revision}\nPkg.ReleaseName = r27b\n"
    (folder / "source.properties").write_text(properties)
    (folder / "meta").mkdir()
    (folder / "meta" / "platforms.json").write_text('{"min": 21, "max": 35, "aliases": {"L": 21, "V": 35}}')
    for name in ("clang", "clang++"):
        program(host / "bin" / name, log or folder / "log", made or folder / "source.properties")
    return folder


def lay_out_visual_studio(root: Path, log: Path, objects: Path, image: Path) -> tuple[Path, Path]:
    """Lay out a Visual Studio 2022 and a Windows SDK, as far as a compile looks at them, and return their folders."""
    studio, kit, tools = root / "Microsoft Visual Studio" / "2022" / "BuildTools", root / "Windows Kits" / "10", "14.41.34120"
    build = studio / "VC" / "Auxiliary" / "Build"
    build.mkdir(parents=True)
    (build / "Microsoft.VCToolsVersion.default.txt").write_text(f"{tools}\r\n")
    base = studio / "VC" / "Tools" / "MSVC" / tools
    for machine in ("x64", "arm64"):
        (base / "lib" / machine).mkdir(parents=True)
        for name, made in (("cl.exe", objects), ("lib.exe", objects), ("link.exe", image)):
            program(base / "bin" / "Hostx64" / machine / name, log, made)
    (base / "include").mkdir()
    for version in ("10.0.19041.0", "10.0.22621.0"):
        for part in ("ucrt", "shared", "um"):
            (kit / "Include" / version / part).mkdir(parents=True)
        for part in ("ucrt", "um"):
            (kit / "Lib" / version / part / "x64").mkdir(parents=True)
    (kit / "Include" / "10.0.26100.0" / "ucrt").mkdir(parents=True)  # headers without libraries: half an installation
    return studio, kit
