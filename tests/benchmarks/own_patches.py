"""Patches between builds of one package, compiled here, of which one line of one module differs. Part of ``patches.py``."""

from __future__ import annotations

import argparse
import ast
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pypackpack.backend.distributions import version_of
from pypackpack.client.patch import apply_patch
from pypackpack.middleware.patch.make import make_patch, read_identity

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).resolve().parents[2]


def _functions(text: str) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef) and len(node.body) > 1]


def _before(text: str, line: int, new: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join([*lines[: line - 1], new, *lines[line - 1 :]])


def constant(text: str) -> str:
    """Another number, in the first function that has one; nothing where none has."""
    for function in _functions(text):
        for node in ast.walk(function):
            if isinstance(node, ast.Constant) and type(node.value) is int and node.lineno == node.end_lineno:
                lines = text.splitlines(keepends=True)
                line = lines[node.lineno - 1].encode()
                lines[node.lineno - 1] = (line[: node.col_offset] + b"%d" % (node.value + 2) + line[node.end_col_offset :]).decode()
                return "".join(lines)
    return ""


def comment(text: str) -> str:
    """A line that does nothing, before everything: all line numbers are others."""
    return "# One line more.\n" + text


def statement(text: str) -> str:
    """A call in the first function of some size, with a text that was not there before."""
    body = _functions(text)[0].body[1]
    return _before(text, body.lineno, f'{" " * body.col_offset}print("a line more, {text.count(chr(10))}")\n')


def function(text: str) -> str:
    """A function before the others."""
    node = next(each for each in ast.parse(text).body if isinstance(each, (ast.FunctionDef, ast.ClassDef)))
    line = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    return _before(text, line, "def one_more(first, second):\n    return first * 31 + second\n\n\n")


EDITS: dict[str, Callable[[str], str]] = {"a number": constant, "a comment": comment, "a statement": statement, "a function": function}


def project(root: Path, package: Path, unit: str) -> Path:
    """Write the project, and return the folder of its modules."""
    name = package.name
    main = root / name / "src" / "main"
    if not main.exists():
        shutil.copytree(package, main, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "pyproject.toml").write_text(f'[project]\nname = "bench"\nversion = "1"\n\n[tool.pypackpack]\npackages = ["{name}"]\n')
    (root / ".python-version").write_text(f"{platform.python_version()}\n")
    settings = f'[tool.pypackpack]\ntargets = ["linux_x86_64"]\n\n[tool.pypackpack.build]\nunit = "{unit}"\n'
    (root / name / "pyproject.toml").write_text(f'[project]\nname = "{name}"\nversion = "1.0"\n\n{settings}')
    return main


def built(root: Path, name: str, kind: str, cache: Path, place: Path) -> Path:
    """Build the wheel and keep it somewhere else."""
    words = [sys.executable, "-m", "pypackpack", "--project", str(root), "build", name, "source", "single"]
    words += ["--type", kind, "--level", "native", "--target", "linux_x86_64"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYPACKPACK_CACHE_DIR": str(cache)}
    env["PATH"] = f"{Path(sys.base_prefix) / 'bin'}{os.pathsep}{env['PATH']}"
    subprocess.run(words, env=env, check=True, stdout=subprocess.DEVNULL)
    (wheel,) = (root / name / "build" / "packpack" / "single" / kind / "native").glob("*.whl")
    place.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(wheel, place / wheel.name))


def main(words: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="patches.py own", description=__doc__)
    parser.add_argument("package", type=Path, help="the folder of an import package of pure Python")
    parser.add_argument("--work", type=Path, required=True, help="a folder to keep: the cache, in which all modules are compiled once")
    parser.add_argument("--type", choices=("release", "debug"), default="release")
    parser.add_argument("--unit", choices=("module", "package"), default="module")
    given = parser.parse_args(words)
    root, cache = given.work / f"project-{given.unit}", given.work / "cache"
    modules = project(root, given.package, given.unit)
    name, texts = given.package.name, {path: path.read_text(encoding="utf-8") for path in sorted(modules.rglob("*.py"))}
    places = given.work / f"wheels-{given.unit}-{given.type}"
    old = built(root, name, given.type, cache, places / "old")
    size = old.stat().st_size
    able = sorted((path for path, text in texts.items() if _functions(text) and constant(text)), key=lambda path: len(texts[path]))
    print(f"{name}, {len(texts)} modules, {given.type}, unit {given.unit}: {size:,} bytes; Cython {version_of('Cython')}, Python {platform.python_version()}\n")
    print("| module | lines | what changed | patch | of the wheel |\n| --- | --- | --- | --- | --- |")
    for path in (able[len(able) // 2], able[-1]):
        for what, edit in EDITS.items():
            path.write_text(edit(texts[path]), encoding="utf-8")
            try:
                new = built(root, name, given.type, cache, places / what.replace(" ", "-"))
            finally:
                path.write_text(texts[path], encoding="utf-8")
            patch = places / "x.whl.patch"
            patch.write_bytes(make_patch(old, new, number=1))
            if read_identity(apply_patch(patch, old, places / "out")) != read_identity(new):
                sys.exit("the patch leads to another wheel")
            ours = patch.stat().st_size
            lines = texts[path].count("\n")
            print(f"| {path.relative_to(modules)} | {lines} | {what} | {ours:,} | {100 * ours / size:.2f} % |", flush=True)
