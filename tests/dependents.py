"""A project whose package depends on wheels with what is hard about compiling dependencies, and the questions to ask what was built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.wheelhouse import wheel

if TYPE_CHECKING:
    from pathlib import Path

CORE = """\
import importlib.resources
import os

def double(value):
    "Twice a value."
    return value * 2

def note():
    return importlib.resources.files("plainlib").joinpath("data/note.txt").read_text()

def beside():
    return os.path.basename(os.path.dirname(os.path.abspath(__file__)))
"""

PLAIN = {
    "plainlib/__init__.py": "from plainlib.core import beside, double, note\n",
    "plainlib/__main__.py": "print('main')\n",
    "plainlib/core.py": CORE,
    "plainlib/data/note.txt": "a note",
    "plainlib/py.typed": "",
}
HARD = {
    "hardlib/__init__.py": "",
    "hardlib/old.py": "print 'Python 2'\n",
    "hardlib/words.py": "WORDS = {" + ", ".join(f"'word {number}'" for number in range(1500)) + "}\n",
    "hardlib/rude.py": "async def gather():\n    try:\n        await 1\n    except BaseException:\n        return 1\n",
}
SPACED = {"spaced/one/__init__.py": "NAME = __name__\n", "spaced/one/deep.py": "def name():\n    return __name__\n"}
LONE = {"lone.py": "def name():\n    return __name__\n"}
DISTRIBUTIONS = {"plainlib": PLAIN, "hardlib": HARD, "spaced-one": SPACED, "lone": LONE}

QUESTIONS = """\
import importlib.metadata, json, sys
import app, hardlib.words, lone, plainlib, plainlib.core, spaced.one.deep
try:
    import hardlib.rude
    rude = hardlib.rude.gather.__name__
except ImportError as error:
    rude = str(error)
names = ("plainlib", "hardlib", "spaced-one", "lone")
files = [file for name in names for file in importlib.metadata.files(name)]
print(json.dumps({
    "answers": [plainlib.double(21), plainlib.note(), plainlib.beside(), spaced.one.NAME, spaced.one.deep.name(), lone.name(), rude],
    "words": len(hardlib.words.WORDS),
    "gone": [str(file) for file in files if not file.locate().is_file()],
    "wrong": [str(file) for file in files if file.hash and file.size != file.locate().stat().st_size],
    "native": sorted(name for name in sys.modules if name.partition(".")[0] in ("app", "plainlib", "hardlib", "spaced", "lone")
                     and (getattr(sys.modules[name], "__file__", None) or "").endswith((".so", ".pyd"))),
}))
"""
ANSWERS = [42, "a note", "plainlib", "spaced.one", "spaced.one.deep", "lone", "gather"]
NATIVE = ["hardlib", "lone", "plainlib", "plainlib.core", "spaced.one", "spaced.one.deep"]
"""What is native of the dependencies."""


def project(folder: Path, *, settings: str = "", targets: tuple[str, ...] = ("linux_x86_64",), python: str = "") -> Path:
    """Write the project with its wheels and return its root."""
    root = folder / "whole"
    for name, files in DISTRIBUTIONS.items():
        wheel(root / "wheels", name, more=files)
    main = root / "app" / "src" / "main"
    main.mkdir(parents=True)
    (main / "__init__.py").write_text("import plainlib\n")
    listed = ", ".join(f'"{target}"' for target in targets)
    chosen = f'python = ["{python}"]\n' if python else ""
    needs = ", ".join(f'"{name}"' for name in DISTRIBUTIONS)
    (root / "app" / "pyproject.toml").write_text(
        f'[project]\nname = "app"\nversion = "1"\ndependencies = [{needs}]\n[tool.pypackpack]\ntargets = [{listed}]\n{chosen}{settings}'
    )
    (root / "pyproject.toml").write_text(
        '[project]\nname = "whole"\nversion = "1"\nrequires-python = ">=3.10"\n[tool.pypackpack]\npackages = ["app"]\n'
        '[[tool.uv.index]]\nname = "house"\nurl = "wheels"\nformat = "flat"\ndefault = true\n'
    )
    return root
