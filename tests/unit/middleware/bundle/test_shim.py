"""The module that gives way to what a fat wheel carries."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.resources
import importlib.util
import itertools
import os
import pickle
import pkgutil
import runpy
import sys
import threading
import types
import warnings
from typing import TYPE_CHECKING

import pytest

from pypackpack.middleware.bundle.shim import CARRIED, shim_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

NUMBERS = itertools.count()
PACKAGE = {
    "__init__.py": "'The real one.'\nimport {dep}\nfrom {name}.sub import Y\nclass Thing:\n    pass\n",
    "__main__.py": "import {name}\nfound = {name}.__file__\n",
    "sub.py": "Y = 2\n",
    "data.txt": "data",
}


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[str, str, Path]]]:
    """Lay a package and its dependency, of names that nobody has, into a folder on the path."""
    path, modules = list(sys.path), dict(sys.modules)

    def make(files: Mapping[str, str] = PACKAGE, folders: tuple[str, ...] = ()) -> tuple[str, str, Path]:
        number = next(NUMBERS)
        name, dep = f"carrying{number}", f"carried{number}"
        site = tmp_path / f"site{number}"
        folder = site / name / CARRIED
        (folder / name).mkdir(parents=True)
        (site / name / "__init__.py").write_text(shim_text(name, [dep], folders))
        for file, text in files.items():
            (folder / name / file).write_text(text.replace("{name}", name).replace("{dep}", dep))
        (folder / f"{dep}.py").write_text("V = 1\n")
        info = folder / f"{dep}-3.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dep}\nVersion: 3.1\n")
        monkeypatch.syspath_prepend(tmp_path / "before")
        sys.path.insert(1, str(site))
        importlib.invalidate_caches()
        return name, dep, folder

    yield make
    sys.path[:] = path
    for module in set(sys.modules) - set(modules):
        del sys.modules[module]


def test_the_real_package_is_what_is_imported(installed: Callable[..., tuple[str, str, Path]]) -> None:
    name, dep, folder = installed()
    module = importlib.import_module(name)
    assert (module.__name__, module.__doc__, module.__package__) == (name, "The real one.", name)
    assert module.__file__ == str(folder / name / "__init__.py")
    assert module.__spec__.origin == module.__file__
    assert list(module.__path__) == [str(folder / name)]
    assert sys.modules[name] is module
    assert module.Y == 2
    assert sys.modules[dep].V == 1
    assert importlib.metadata.version(dep) == "3.1"
    assert importlib.resources.files(name).joinpath("data.txt").read_text() == "data"
    assert sorted(each.name for each in pkgutil.iter_modules(module.__path__)) == ["__main__", "sub"]
    assert pickle.loads(pickle.dumps(module.Thing)) is module.Thing  # noqa: S301 - our own bytes
    assert runpy.run_module(name, alter_sys=True)["found"] == module.__file__
    again = importlib.reload(module)
    assert (again.__file__, again is sys.modules[name]) == (module.__file__, True)
    # Before the entry that it was found in, and behind what comes before that: somebody's own modules still win.
    site = str(folder.parents[1])
    assert sys.path.index(str(folder)) + 1 == sys.path.index(site)
    assert sys.path.index(str(folder)) == 1


def test_a_submodule_may_be_asked_for_first(installed: Callable[..., tuple[str, str, Path]]) -> None:
    name, _, folder = installed()
    assert importlib.import_module(f"{name}.sub").__file__ == str(folder / name / "sub.py")
    assert __import__(name, fromlist=["sub"]).sub.Y == 2


def test_importing_once_more_from_nothing_is_the_same(installed: Callable[..., tuple[str, str, Path]]) -> None:
    name, _, folder = installed()
    importlib.import_module(name)
    del sys.modules[name]
    assert importlib.import_module(name).__file__ == str(folder / name / "__init__.py")
    sys.path.remove(str(folder))
    sys.path.append(str(folder))  # somebody sorted the path: the shim is found first again
    del sys.modules[name]
    importlib.invalidate_caches()
    assert importlib.import_module(name).__file__ == str(folder / name / "__init__.py")
    assert sys.path.count(str(folder)) == 1


def test_threads_that_import_at_once_all_get_it(installed: Callable[..., tuple[str, str, Path]]) -> None:
    slow = {**PACKAGE, "__init__.py": "import time\nfrom {name} import sub\ntime.sleep(0.05)\nX = 1\n"}
    name, _, _ = installed(slow)
    wrong: list[object] = []
    gate = threading.Barrier(16)

    def work() -> None:
        gate.wait()
        try:
            wrong.append(__import__(name).X - 1 or __import__(name, fromlist=["sub"]).sub.Y - 2)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            wrong.append(error)

    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(switch)
    assert wrong == [0] * 16


def test_whoever_holds_the_shim_gets_what_the_package_has(installed: Callable[..., tuple[str, str, Path]]) -> None:
    name, _, _ = installed()
    spec = importlib.util.find_spec(name)
    assert spec is not None
    shim = importlib.util.module_from_spec(spec)
    real = importlib.import_module(name)
    assert spec.loader is not None
    sys.modules[name] = shim
    spec.loader.exec_module(shim)
    assert shim is not sys.modules[name]
    assert shim.Thing is sys.modules[name].Thing
    assert real.Y == shim.Y
    with pytest.raises(AttributeError, match="nothing"):
        _ = shim.nothing


def test_whoever_makes_a_module_of_it_beside_the_import_system_gets_the_one_package(
    installed: Callable[..., tuple[str, str, Path]],
) -> None:
    name, _, _ = installed()
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.loader is not None
    one, two = importlib.util.module_from_spec(spec), importlib.util.module_from_spec(spec)
    spec.loader.exec_module(one)
    real = sys.modules[name]
    assert real is not one
    spec.loader.exec_module(two)
    assert sys.modules[name] is real
    assert one.Thing is two.Thing is real.Thing


def test_one_that_was_imported_before_is_said(installed: Callable[..., tuple[str, str, Path]], tmp_path: Path) -> None:
    name, dep, folder = installed()
    other = types.ModuleType(dep)
    other.__file__ = str(tmp_path / "elsewhere" / f"{dep}.py")
    sys.modules[dep] = other
    with pytest.warns(RuntimeWarning, match=f"{name} carries its own {dep}") as caught:
        importlib.import_module(name)
    (said,) = caught
    assert str(folder) in str(said.message)
    assert str(other.__file__) in str(said.message)
    assert sys.modules[dep] is other


def test_one_that_was_imported_from_here_is_not(installed: Callable[..., tuple[str, str, Path]]) -> None:
    name, dep, folder = installed()
    sys.path.append(str(folder))  # behind the shim, which is to be what is found
    importlib.import_module(dep)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        importlib.import_module(name)
    assert sys.path.count(str(folder)) == 1


@pytest.mark.skipif(os.name == "nt", reason="links take rights on Windows")
def test_one_whose_files_are_links_into_a_cache_is_from_here(installed: Callable[..., tuple[str, str, Path]], tmp_path: Path) -> None:
    """So does uv install with `--link-mode symlink`."""
    name, dep, folder = installed()
    for number, path in enumerate(each for each in sorted(folder.parent.rglob("*")) if each.is_file()):
        (tmp_path / "cache").mkdir(exist_ok=True)
        path.symlink_to(path.rename(tmp_path / "cache" / f"{number}-{path.name}"))
    importlib.invalidate_caches()
    sys.path.append(str(folder))  # behind the shim, which is to be what is found
    importlib.import_module(dep)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        module = importlib.import_module(name)
    assert module.Thing
    assert importlib.metadata.version(dep) == "3.1"


def test_more_folders_go_on_the_path(installed: Callable[..., tuple[str, str, Path]]) -> None:
    files = {**PACKAGE, "__init__.py": "import win_only\n"}
    name, _, folder = installed(files, ("more/lib",))
    (folder / "more" / "lib").mkdir(parents=True)
    (folder / "more" / "lib" / "win_only.py").write_text("")
    importlib.import_module(name)
    assert sys.path[1:3] == [str(folder), str(folder / "more" / "lib")]


@pytest.mark.parametrize("gone", ["package", "name"])
def test_what_goes_wrong_is_said_and_can_be_tried_again(installed: Callable[..., tuple[str, str, Path]], gone: str) -> None:
    name, _, folder = installed()
    place = folder / name / "__init__.py"
    text = place.read_text()
    if gone == "package":
        place.unlink()
    else:
        place.write_text("import nothing_of_that_name\n")
    for _ in range(2):
        importlib.invalidate_caches()
        with pytest.raises(ImportError, match="is not whole" if gone == "package" else "nothing_of_that_name"):
            importlib.import_module(name)
        assert name not in sys.modules
    place.write_text(text + "# another size\n")
    importlib.invalidate_caches()
    assert importlib.import_module(name).Y == 2


def test_a_relative_entry_leads_to_it_from_another_working_directory(
    installed: Callable[..., tuple[str, str, Path]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name, _, folder = installed()
    site = folder.parents[1]
    monkeypatch.chdir(site.parent)
    sys.path[sys.path.index(str(site))] = site.name
    assert importlib.util.find_spec("nothing_of_that_name") is None  # the import system takes note of where the entry leads
    monkeypatch.chdir(tmp_path.parent)
    assert importlib.import_module(name).__file__ == str(folder / name / "__init__.py")
    assert sys.path.index(str(folder)) + 1 == sys.path.index(site.name)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps a folder that somebody works in")
def test_a_working_directory_that_is_gone_is_in_nobodys_way(
    installed: Callable[..., tuple[str, str, Path]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name, _, _ = installed()
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    sys.path.insert(0, "")
    gone.rmdir()
    assert importlib.import_module(name).Y == 2


def test_two_that_are_imported_at_once_do_not_lose_each_others_folders(
    installed: Callable[..., tuple[str, str, Path]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (one, _, first), (other, _, second) = installed(), installed()
    sys.path.append(str(tmp_path / "last"))
    slow, meanwhile = os.path.realpath, [threading.Thread(target=importlib.import_module, args=(other,))]

    def realpath(path: str) -> str:
        # As on a slow file system: the other import comes and goes while this one looks at the path.
        if path == sys.path[-1] and meanwhile:
            thread = meanwhile.pop()
            thread.start()
            thread.join()
        return slow(path)

    monkeypatch.setattr(os.path, "realpath", realpath)
    importlib.import_module(one)
    assert not meanwhile
    assert other in sys.modules
    assert {str(first), str(second)} <= set(sys.path)
