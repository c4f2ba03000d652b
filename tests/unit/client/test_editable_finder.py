from __future__ import annotations

import importlib
import importlib.resources
import importlib.util
import pickle
import pkgutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pypackpack.client import editable_finder
from pypackpack.middleware.editable.files import editable_files, source_layers
from pypackpack.middleware.target import table
from pypackpack.model.project import BundleSettings, Package

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME = "layered_pkg"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dict[str, str]], Path]]:
    """A function that writes sources, by path below ``src``, and lets them be imported as ``layered_pkg`` on linux_x86_64."""
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def make(files: dict[str, str]) -> Path:
        root = tmp_path / NAME
        for name, text in files.items():
            (root / "src" / name).parent.mkdir(parents=True, exist_ok=True)
            (root / "src" / name).write_text(text, encoding="utf-8")
        package = Package(NAME, NAME, root, "1", (), (), (), {}, {}, BundleSettings())
        site = tmp_path / "site"
        for name, data in editable_files(package, table.find("linux_x86_64")):
            site.mkdir(exist_ok=True)
            (site / name).write_bytes(data)
        sys.path.append(str(site))
        importlib.invalidate_caches()
        importlib.import_module(f"_editable_{NAME}")
        return root / "src"

    yield make
    for name in [name for name in sys.modules if NAME in name]:
        del sys.modules[name]


def get(name: str = NAME) -> object:
    importlib.invalidate_caches()
    return importlib.import_module(name)


def test_the_folder_of_the_package_in_the_root_does_not_win(place: Callable[[dict[str, str]], Path]) -> None:
    source = place({"main/__init__.py": "a = 1", "main/mod.py": "b = 2"})
    package = get()
    assert package.__file__ == str(source / "main/__init__.py")
    assert package.__path__ == [str(source / "linux_x86_64"), str(source / "linux"), str(source / "main")]
    assert get(f"{NAME}.mod").__file__ == str(source / "main/mod.py")
    assert get(f"{NAME}.mod").__spec__.cached is not None


def test_the_uppermost_layer_wins_in_every_folder(place: Callable[[dict[str, str]], Path]) -> None:
    place(
        {
            "main/__init__.py": "",
            "main/where.py": "at = 'main'",
            "linux/where.py": "at = 'linux'",
            "linux_x86_64/where.py": "at = 'linux_x86_64'",
            "main/sub/__init__.py": "at = 'main'",
            "linux/sub/__init__.py": "at = 'linux'",
            "main/sub/low.py": "at = 'main'",
            "linux_x86_64/sub/high.py": "at = 'linux_x86_64'",
            "windows/sub/low.py": "at = 'windows'",
            "main/space/inner/leaf.py": "at = 'main'",
            "linux/space/inner/other.py": "at = 'linux'",
        }
    )
    found = {
        name: get(f"{NAME}.{name}").at
        for name in ("where", "sub", "sub.low", "sub.high", "space.inner.leaf", "space.inner.other")
    }
    assert found == {
        "where": "linux_x86_64",
        "sub": "linux",
        "sub.low": "main",
        "sub.high": "linux_x86_64",
        "space.inner.leaf": "main",
        "space.inner.other": "linux",
    }
    assert {info.name for info in pkgutil.iter_modules(get().__path__)} == {"where", "sub"}
    with pytest.raises(ModuleNotFoundError, match=r"layered_pkg\.none"):
        get(f"{NAME}.none")


def test_what_is_made_later_is_found(place: Callable[[dict[str, str]], Path]) -> None:
    source = place({"main/__init__.py": "", "main/mod.py": "at = 'main'"})
    get()
    (source / "linux").mkdir()
    (source / "linux/mod.py").write_text("at = 'linux'", encoding="utf-8")
    assert get(f"{NAME}.mod").at == "linux"


def test_resources_are_those_of_all_layers(place: Callable[[dict[str, str]], Path]) -> None:
    place(
        {
            "main/__init__.py": "",
            "main/data/a.txt": "a main",
            "main/data/b.txt": "b main",
            "linux/data/a.txt": "a linux",
            "linux/data/deep/c.txt": "c linux",
            "main/plain/d.txt": "d main",
            "main/space/e.txt": "e main",
            "linux/space/f.txt": "f linux",
        }
    )
    top = importlib.resources.files(get())
    data = top / "data"
    assert [entry.name for entry in data.iterdir()] == ["a.txt", "b.txt", "deep"]
    assert (data.is_dir(), data.is_file(), data.name) == (True, False, "data")
    assert [data.joinpath(name).read_text(encoding="utf-8") for name in ("a.txt", "b.txt", "deep/c.txt")] == [
        "a linux",
        "b main",
        "c linux",
    ]
    assert isinstance(top / "plain", Path)
    with importlib.resources.as_file(top / "data" / "a.txt") as file:
        assert file.read_text(encoding="utf-8") == "a linux"
    assert not (data / "none").is_file()
    with pytest.raises(FileNotFoundError):
        (data / "none").read_bytes()
    with pytest.raises(IsADirectoryError):
        data.read_text()
    space = importlib.resources.files(get(f"{NAME}.space"))
    assert [(space / name).read_text(encoding="utf-8") for name in ("e.txt", "f.txt")] == ["e main", "f linux"]
    assert pkgutil.get_data(NAME, "data/a.txt") == b"a linux"
    assert pkgutil.get_data(NAME, "plain/d.txt") == b"d main"
    with pytest.raises(FileNotFoundError):
        pkgutil.get_data(NAME, "data/none.txt")


def test_pickles_and_lines_of_code_know_the_real_place(place: Callable[[dict[str, str]], Path]) -> None:
    source = place({"main/__init__.py": "", "main/kinds.py": "class Kind:\n    pass\n\ndef fail():\n    raise ValueError\n"})
    kinds = get(f"{NAME}.kinds")
    assert type(pickle.loads(pickle.dumps(kinds.Kind()))) is kinds.Kind  # noqa: S301 - made here
    assert kinds.fail.__code__.co_filename == str(source / "main/kinds.py")
    assert importlib.util.find_spec(f"{NAME}.kinds").origin == str(source / "main/kinds.py")


def test_a_package_whose_sources_are_gone_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"installed as editable from .*gone, which is not there any more"):
        editable_finder.find("x", (str(tmp_path / "gone"),), "x", None)
    assert editable_finder.find("x", (str(tmp_path),), "x.y", None) is None


def test_layers_of_a_machine_that_is_no_target(tmp_path: Path) -> None:
    package = Package("x", "x", tmp_path, "1", (), (), (), {}, {}, BundleSettings())
    assert source_layers(package, None) == (str(tmp_path / "src" / "main"),)


def test_a_path_that_a_locale_could_spoil_is_not_in_the_pth_file(tmp_path: Path) -> None:
    plain = dict(editable_files(Package("x", "x", tmp_path, "1", (), (), (), {}, {}, BundleSettings()), None))
    assert plain["_editable_x.pth"].decode().splitlines() == [str(tmp_path / "build" / "editable" / "main"), "import _editable_x"]
    odd = dict(editable_files(Package("x", "x", tmp_path / "größe", "1", (), (), (), {}, {}, BundleSettings()), None))
    assert odd["_editable_x.pth"] == b"import _editable_x\n"
    assert f"sys.path.extend([{str(tmp_path / 'größe' / 'build' / 'editable' / 'main')!r}])" in odd["_editable_x.py"].decode()


def test_a_native_source_that_nobody_built_is_told(place: Callable[[dict[str, str]], Path]) -> None:
    source = place({"main/__init__.py": "", "main/fast.pyx": "", "linux/sub/one.cpp": "", "main/sub/__init__.py": ""})
    with pytest.raises(ModuleNotFoundError, match=r"Run `pypackpack sync` for the \.venv of its project") as caught:
        importlib.import_module(f"{NAME}.fast")
    series = "{}.{}".format(*sys.version_info)
    words = f"{NAME}.fast is compiled from {source / 'main' / 'fast.pyx'}, and has not been built for Python {series} yet."
    assert str(caught.value).startswith(words)
    assert f'`pip install -e "{source.parent}"` there' in str(caught.value)
    with pytest.raises(ModuleNotFoundError, match=r"one\.cpp"):
        importlib.import_module(f"{NAME}.sub.one")
    with pytest.raises(ModuleNotFoundError, match="No module named"):
        importlib.import_module(f"{NAME}.absent")
