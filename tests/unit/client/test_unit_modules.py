"""The finder of a package that is one extension module, with modules that a function here makes."""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from pypackpack.client import unit_modules

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODULES = {
    "unitary": (0, True),
    "unitary.a": (1, False),
    "unitary.sub": (2, True),
    "unitary.sub.a": (3, False),
    "unitary.ns.b": (4, False),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the package, after its extension module has called `register`."""
    root = tmp_path / "unitary"
    root.mkdir()
    (root / "disk.py").write_text("VALUE = 'on disk'\n")
    monkeypatch.setattr(unit_modules, "MODULES", MODULES)
    monkeypatch.setattr(sys, "path_hooks", list(sys.path_hooks))
    spec = ModuleSpec("unitary", None, origin=str(root / "__init__.x.so"), is_package=True)
    spec.submodule_search_locations = [str(root)]
    unit_modules.register(spec, lambda number, each: ModuleType(f"{each.name} {number}"))
    package = ModuleType("unitary")
    package.__path__ = [str(root)]
    package.__spec__ = spec
    monkeypatch.setitem(sys.modules, "unitary", package)
    yield root
    for path in [path for path in sys.path_importer_cache if path.startswith(str(root))]:
        del sys.path_importer_cache[path]
    for name in [name for name in sys.modules if name.startswith("unitary.")]:
        del sys.modules[name]


def test_modules_have_the_specs_that_files_would_give_them(folder: Path) -> None:
    spec = importlib.util.find_spec("unitary.a")
    assert spec is not None
    assert (spec.origin, spec.has_location, spec.submodule_search_locations) == (str(folder / "a.x.so"), True, None)
    loader = unit_modules.UnitFinder(spec.loader.unit, str(folder), "unitary").find_spec("unitary.sub")  # type: ignore[union-attr]
    assert loader is not None
    assert (loader.origin, loader.submodule_search_locations) == (str(folder / "sub" / "__init__.x.so"), [str(folder / "sub")])
    assert loader.loader is not None
    made = loader.loader.create_module(loader)
    assert made is not None
    assert made.__name__ == "unitary.sub 2"


def test_files_are_left_to_others(folder: Path) -> None:
    assert importlib.import_module("unitary.disk").VALUE == "on disk"
    assert importlib.util.find_spec("unitary.nothing") is None
    (folder / "later.py").write_text("")
    importlib.invalidate_caches()
    assert importlib.util.find_spec("unitary.later") is not None


def test_a_name_of_the_unit_is_not_found_from_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(folder))  # the package's own folder on the path
    assert importlib.util.find_spec("a") is None
    assert importlib.util.find_spec("disk") is not None


def test_a_folder_without_a_module_is_a_namespace(folder: Path) -> None:
    space = importlib.import_module("unitary.ns")
    assert list(space.__path__) == [str(folder / "ns")]
    assert importlib.util.find_spec("unitary.ns.b") is not None


def test_listed_with_what_lies_on_disk(folder: Path) -> None:
    assert [(name, package) for _, name, package in pkgutil.iter_modules([str(folder)])] == [
        ("a", False),
        ("disk", False),
        ("sub", True),
    ]


def test_registered_once(folder: Path) -> None:
    before = list(sys.path_hooks)
    spec = ModuleSpec("unitary", None, origin=str(folder / "__init__.x.so"), is_package=True)
    spec.submodule_search_locations = [str(folder)]
    unit_modules.register(spec, lambda _number, each: ModuleType(each.name))
    assert sys.path_hooks == before
    with pytest.raises(ImportError):
        before[0](os.path.dirname(folder))  # noqa: PTH120 - as Python asks


def test_a_package_finds_the_modules_of_a_folder_that_it_adds_to_its_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = ModuleType("unitary.sub")
    package.__path__ = [str(folder / "sub"), str(folder / "ns")]
    monkeypatch.setitem(sys.modules, "unitary.sub", package)
    spec = importlib.util.find_spec("unitary.sub.b")
    assert spec is not None
    assert (spec.name, spec.origin) == ("unitary.sub.b", str(folder / "ns" / "b.x.so"))
    assert spec.loader is not None
    assert spec.loader.create_module(spec).__name__ == "unitary.sub.b 4"  # type: ignore[union-attr]
