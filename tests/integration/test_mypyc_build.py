"""Building with mypyc: which module gets it, what is refused, and what becomes of classes."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import distributions
from pypackpack.backend.tools import mypyc
from pypackpack.middleware.build import build
from pypackpack.middleware.preview import preview
from pypackpack.model.build import BuildRequest, Bundle, Level, Silent
from pypackpack.model.errors import MissingToolError, PyPackPackError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pypackpack.model.build import BuildResult

TYPED = """
class Base:
    limit: int = 3

    def __init__(self, start: int) -> None:
        self.start = start

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Base) and self.start == other.start


def twice(x: float) -> float:
    return x * 2
"""
HEIR = """
from small import typed
from small.typed import Base


class Heir(Base):
    extra = 1


def same() -> bool:
    return Heir(2) == Heir(2)
"""
DOTTED = "from small import typed\n\n\nclass Heir(typed.Base):\n    pass\n"
SETTINGS = '[tool.pypackpack.build]\ncompiler = "mypyc"\n'


@pytest.fixture
def mine(small_project: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Projects whose Python is the one that runs the tests."""
    monkeypatch.setenv("PATH", f"{Path(sys.base_prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}")

    def make(*args: object, **kwargs: object) -> Path:
        root = small_project(*args, **kwargs)
        (root / ".python-version").write_text("{}.{}.{}\n".format(*sys.version_info[:3]))
        return root

    return make


def run(root: Path) -> BuildResult:
    return build(BuildRequest(start=root, package="small", bundle=Bundle.SINGLE, level=Level.NATIVE), Silent())


def test_each_module_gets_its_compiler(mine: Callable[..., Path], tmp_path: Path) -> None:
    failing = 'import os\n\nKEPT: list[int] = [1]\nNAME: str = os.environ["SMALL_TEST"]\n'
    files = {"main/typed.py": TYPED, "main/heir.py": HEIR, "main/dotted.py": DOTTED, "main/failing.py": failing}
    files["main/fast.pyx"] = "def five(): return 5\n"
    result = run(mine(files, settings=f'{SETTINGS}mypyc = {{ exclude = ["mod", "__init__"] }}\n'))
    (artifact,) = result.artifacts
    with zipfile.ZipFile(artifact.path) as wheel:
        wheel.extractall(tmp_path / "wheel")
        report = json.loads(wheel.read("small-1.0.dist-info/pypackpack.json"))
    assert report["compiler"]["name"] == "mypyc"
    made = {each["module"]: each.get("compiler", {}).get("name", each["form"]) for each in report["modules"]}
    assert made == {
        "small": "cython",
        "small.mod": "cython",
        "small.typed": "extension",
        "small.heir": "extension",
        "small.dotted": "bytecode",
        "small.failing": "extension",
        "small.fast": "cython",
    }
    (reason,) = [each["reason"] for each in report["modules"] if each["module"] == "small.dotted"]
    assert reason.startswith("small/dotted.py:4:0: A base from another module has to be a plain name")
    code = """
from small import dotted, heir, mod, typed
class Here(typed.Base): pass
for wrong in (lambda: typed.twice("x"), lambda: setattr(typed.Base(1), "other", 1)):
    try: wrong()
    except (TypeError, AttributeError) as error: print(type(error).__name__)
print(repr(typed.twice(1)), heir.same(), heir.Heir(4).start, Here(5).start, dotted.Heir(6).limit, mod.answer())
import gc, importlib, os, sys
for _ in range(3):
    try: import small.failing
    except KeyError: gc.collect()
os.environ["SMALL_TEST"] = "set"
import small.failing
assert small.failing.NAME == "set"
before = typed.Base
assert importlib.reload(typed) is typed and typed.Base is before
del sys.modules["small.typed"]
import small.typed as again
assert again.Base is before
"""
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "wheel")}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["TypeError", "AttributeError", "2.0 True 4 5 3 42"]


def test_targets_of_one_platform_and_size_share_the_c_and_the_others_have_their_own(mine: Callable[..., Path]) -> None:
    targets = ("linux_x86_64", "linux_arm64", "linux_armv7", "macos_universal2", "windows_amd64", "windows_arm64", "emscripten_wasm32")
    root = mine({"main/typed.py": TYPED}, settings=SETTINGS, targets=targets)
    found = preview(BuildRequest(start=root, package="small", bundle=Bundle.SINGLE, level=Level.NATIVE), Silent())
    made = [task.name.rpartition(" ")[2] for task in found.tasks if task.name.startswith("transcompile small/src/main/typed.py")]
    assert sorted(made) == ["darwin-64", "emscripten-32", "linux-32", "linux-64", "win32-64"]
    runtimes = [task for task in found.tasks if task.label == "mypyc runtime"]
    assert [task.step for task in runtimes].count("transcompile") == 1
    assert [task.step for task in runtimes].count("compile") == len(targets) + 1  # two processors of macOS


@pytest.mark.parametrize("line", ['abi = "abi3"', 'unit = "package"'])
def test_what_it_cannot_is_refused(mine: Callable[..., Path], line: str) -> None:
    with pytest.raises(PyPackPackError, match="mypyc cannot"):
        run(mine(settings=f"{SETTINGS}{line}\n"))


def test_without_mypy_the_error_says_what_to_install(mine: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    real = distributions.find

    def nothing(name: str) -> distributions.Installed:
        if name == "mypy":
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(distributions, "find", nothing)
    mypyc.find.cache_clear()
    try:
        with pytest.raises(MissingToolError, match="needs mypy") as caught:
            run(mine(settings=SETTINGS))
    finally:
        mypyc.find.cache_clear()
    assert "pypackpack[mypyc]" in caught.value.hint
