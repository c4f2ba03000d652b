"""A package of two versions, from its sources to those who have it: an index, pip and uv, a patch, and the proof of both.

Run as a script it does so in a folder that it makes and removes, and prints each command: ``python tests/two_versions.py``. It needs
what the tests need (``pip install -e . --group test``) and a network or a filled cache for the C compiler, and nothing else of
the machine: it has an index of its own, and a cache of its own unless ``PYPACKPACK_CACHE_DIR`` names one.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    sys.path.insert(0, os.fspath(Path(__file__).parents[1]))

from pypackpack.backend import filesystem
from pypackpack.backend.tools import uv
from pypackpack.middleware.target import table
from tests import builds
from tests.integration.private_index import SECRET, USER, served

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PACKAGE = "twover"
SOURCES = {
    "__init__.py": 'from twover.rates import rate\n\nVERSION = "1.0"\n\n\ndef total(net: float) -> str:\n    return f"{net * (1 + rate()):.2f}"\n',
    "rates.py": "from importlib.resources import files\n\n\ndef rate() -> float:\n    return float(files('twover').joinpath('rate.txt').read_text())\n",
    "words.py": "def words() -> list[str]:\n    return sorted({'invoice', 'letter', 'receipt'})\n",
    "rate.txt": "0.19\n",
}
"""The first version: three modules and a data file."""
ASK = "import twover, twover.words as w; print(twover.VERSION, twover.total(100), len(w.words()), w.__file__.rpartition('.')[2])"
"""What a person who has it asks it."""


def answers(suffix: str) -> tuple[str, str]:
    """Return what both versions say; their modules are files with this suffix."""
    return f"1.0 119.00 3 {suffix}", f"1.1 121.00 4 {suffix}"


class Story:
    """Somebody who publishes two versions, and the people who have them."""

    def __init__(self, folder: Path, tell: Callable[[str], object], *, level: str, targets: Sequence[str]) -> None:
        self.folder = folder
        self.tell = tell
        self.level = level
        self.root = folder / "shop"
        self.built = self.root / PACKAGE / "build" / "packpack"
        for name, text in SOURCES.items():
            self.write(name, text)
        (self.root / "pyproject.toml").write_text(
            '[project]\nname = "shop"\nversion = "1.0"\nrequires-python = ">=3.10"\n\n'
            f'[tool.pypackpack]\npackages = ["{PACKAGE}"]\n',
            encoding="utf-8",
        )
        self.targets = targets
        self.raise_version("1.0")

    def write(self, name: str, text: str) -> None:
        """Write a file of the package."""
        path = self.root / PACKAGE / "src" / "main" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def raise_version(self, version: str) -> None:
        """Give the package a version."""
        (self.root / PACKAGE / "pyproject.toml").write_text(
            f'[project]\nname = "{PACKAGE}"\nversion = "{version}"\n\n[tool.pypackpack]\n'
            f'targets = {json.dumps(list(self.targets))}\npython = ["{builds.PYTHON[0]}.{builds.PYTHON[1]}"]\n',
            encoding="utf-8",
        )

    def change(self) -> None:
        """Make version 1.1 of it: other code, other data, a line more."""
        self.write("rate.txt", "0.21\n")
        self.write("__init__.py", SOURCES["__init__.py"].replace("1.0", "1.1"))
        self.write("words.py", SOURCES["words.py"].replace("'receipt'", "'receipt', 'reminder'"))
        self.raise_version("1.1")

    def run(self, *command: str | Path, env: Mapping[str, str] | None = None, code: int = 0) -> str:
        """Run a program in the project and return what it printed."""
        self.tell(f"$ {shlex.join(map(str, command))}")
        done = builds.run(command, cwd=self.root, env={"NO_COLOR": "1", **(env or {})})
        assert done.returncode == code, (
            f"{shlex.join(map(str, command))}\nended with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
        return done.stdout

    def ppp(self, *words: str | Path, env: Mapping[str, str] | None = None, code: int = 0) -> Any:  # noqa: ANN401 - JSON of any command
        """Run pypackpack and return what it says to programs."""
        extra = {"PYTHONPATH": os.fspath(builds.ROOT), **(env or {})}
        said = self.run(sys.executable, "-m", "pypackpack", *words, "--json", env=extra, code=code)
        return json.loads(said.splitlines()[-1] if words[0] == "build" else said) if said else None

    def publish(self, url: str) -> list[Path]:
        """Build the present version, record it, and bring it to the index; return its wheels."""
        made = self.ppp("build", PACKAGE, "source", "single", "--type", "release", "--level", self.level)
        wheels = [Path(each["path"]) for each in made["artifacts"]]
        assert len(self.ppp("release", PACKAGE)["primaries"]) == len(wheels)
        login = {"UV_PUBLISH_USERNAME": USER, "UV_PUBLISH_PASSWORD": SECRET}
        sent = self.ppp("deploy", PACKAGE, "source", "--to", url, "--allow-unverified", env=login)
        assert {(Path(each["path"]), each["state"], each["verified"]) for each in sent["files"]} == {
            (wheel, "uploaded", True) for wheel in wheels
        }
        again = self.ppp("deploy", PACKAGE, "source", "--to", url, "--allow-unverified", env=login)
        assert {each["state"] for each in again["files"]} == {"already there"}
        return wheels

    def environment(self, name: str) -> Path:
        """Make an empty environment; return its Python."""
        place = self.folder / name
        self.run(uv.executable(), "venv", "-q", "--seed", "--python", sys.executable, place, env={"UV_LINK_MODE": "copy"})
        return place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def install(self, python: Path, index: str, version: str, *, by: str) -> None:
        """Install a version from the index, and nothing from elsewhere."""
        what = ["install", "--index-url", index, f"{PACKAGE}=={version}"]
        if by == "pip":
            self.run(python, "-m", "pip", "-q", *what[:1], "--no-cache-dir", *what[1:])
        else:
            self.run(uv.executable(), "pip", *what[:1], "-q", "--no-cache", "--python", python, *what[1:])

    def ask(self, python: Path) -> str:
        """Return what the package says that an environment has."""
        return self.run(python, "-I", "-c", ASK).strip()

    def patch(self) -> list[Path]:
        """Make the patches from 1.0 to the present version."""
        words = ("build", PACKAGE, "source", "patch", "--base", "1.0", "--type", "release", "--level", self.level)
        return [Path(each["path"]) for each in self.ppp(*words)["artifacts"] if each["kind"] == "patch"]


def same_members(one: Path, other: Path) -> bool:
    """Tell whether two wheels have the same files; how these are packed may differ."""
    with zipfile.ZipFile(one) as first, zipfile.ZipFile(other) as second:
        names = first.namelist()
        return names == second.namelist() and all(first.read(name) == second.read(name) for name in names)


def tell_story(
    folder: Path, tell: Callable[[str], object] = print, *, level: str = "native", more: Sequence[str] = ()
) -> list[Path]:
    """Publish two versions and bring those who have the first one to the second; return the patches.

    Args:
        folder: An empty folder.
        tell: Gets each command.
        level: How far the code is compiled.
        more: Targets besides the one of this machine.
    """
    host = table.host_target()
    old_answer, new_answer = answers("so" if os.name != "nt" and level == "native" else "pyd" if level == "native" else "py")
    story = Story(folder, tell, level=level, targets=[host.name, *more])
    files = folder / "files"
    files.mkdir()
    with served(files, ["update"]) as index:
        old = story.publish(index.url)
        story.change()
        new = story.publish(index.url)
        assert {path.name for path in files.iterdir()} == {path.name for path in (*old, *new)}
        people = {by: story.environment(by) for by in ("pip", "uv")}
        for by, python in people.items():
            story.install(python, index.url, "1.1", by=by)
            assert story.ask(python) == new_answer
            story.install(python, index.url, "1.0", by=by)
            assert story.ask(python) == old_answer
        kept = folder / "kept"
        story.run(
            people["pip"],
            "-m",
            "pip",
            "-q",
            "download",
            "--no-cache-dir",
            "--index-url",
            index.url,
            "-d",
            kept,
            f"{PACKAGE}==1.0",
        )
    (primary,) = kept.iterdir()

    patches = story.patch()
    (patch,) = [each for each in patches if primary.name.rpartition("-")[2].removesuffix(".whl") in each.name]
    # A wheel file.
    story.ppp("patch", "apply", patch, "--to", primary, "-o", folder / "newer")
    (newer,) = (folder / "newer").iterdir()
    (published,) = [files / wheel.name for wheel in new if wheel.name == newer.name]
    assert same_members(newer, published)
    # What is installed, by either.
    for python in people.values():
        site = Path(story.run(python, "-I", "-c", "import sysconfig; print(sysconfig.get_path('platlib'))").strip())
        story.ppp("patch", "apply", patch, "--to", site)
        assert story.ask(python) == new_answer
        story.ppp("patch", "apply", patch, "--to", site)  # once more: nothing is to be done
        listed = json.loads(story.run(python, "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"))
        assert {"name": PACKAGE, "version": "1.1"} in listed
    # And the sources say the same.
    [proof] = story.ppp("verify", "--rebuild", published)
    assert [check["problems"] for check in proof["checks"]] == [[]] * len(proof["checks"])
    assert "the same to the byte" in proof["checks"][-1]["found"]
    [whole] = story.ppp("verify", newer)
    assert not any(check["problems"] for check in whole["checks"])
    return patches


def main() -> None:
    """Tell it to a person."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault(filesystem.CACHE_VARIABLE, os.fspath(Path(folder) / "cache"))
        patches = tell_story(Path(folder))
        sizes = ", ".join(f"{path.name} {path.stat().st_size} B" for path in patches)
        print(f"\n1.0 and 1.1 were published, installed by pip and uv, patched and proven. {sizes}")


if __name__ == "__main__":
    main()
