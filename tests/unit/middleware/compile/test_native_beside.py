"""What Cython and C see beside a source: what it cimports and includes, of the package and of installed ones."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from pypackpack.backend.digests import FileDigests
from pypackpack.backend.store import Store
from pypackpack.backend.tools import pyx
from pypackpack.middleware.compile.layers import Layers
from pypackpack.middleware.compile.native import cimports, packages, tasks
from pypackpack.middleware.compile.native.beside import beside
from pypackpack.middleware.compile.native.find import find
from pypackpack.middleware.compile.native.packages import Foreign, foreign_files
from pypackpack.middleware.compile.workshop import Workshop
from pypackpack.middleware.environment.place import site_packages
from pypackpack.middleware.target import table
from pypackpack.model.csource import c_source
from pypackpack.model.errors import SettingsError, SourceError, WorkError
from pypackpack.model.project import BuildSettings, BundleSettings, Package

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LINUX = table.find("linux_x86_64")
SERIES = (3, 11)
THEIRS = {
    "vec/__init__.py": "",
    "vec/__init__.pxd": 'from vec._part cimport y\ncdef extern from "vec/api.h":\n    int N\n',
    "vec/__init__.cython-30.pxd": "from vec.new cimport z\n",
    "vec/new.pxd": "",
    "vec/_part.pxd": "",
    "vec/other.pxd": "",
    "vec/core/include/vec/api.h": '#include "types.h"\n#include <vec/deep.h>\n#include <Python.h>\n',
    "vec/core/include/vec/types.h": "",
    "vec/core/include/vec/deep.h": "",
    "vec/core/include/vec/unused.h": "",
    "vec/core/src.c": "",
}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("from . cimport x, y as z", {"pkg.sub", "pkg.sub.x", "pkg.sub.y"}),
        ("from .near cimport (a,\n    b)", {"pkg.sub.near", "pkg.sub.near.a", "pkg.sub.near.b"}),
        ("from ..up cimport *", {"pkg.up"}),
        ("cimport numpy as np, a.b", {"numpy", "a.b", "pkg.sub.numpy"}),
        ("if True: cimport c\\\n  ython", {"c"}),
        ("from cython.cimports.libc.math import sin", {"libc.math", "libc.math.sin"}),
        ("import cython.cimports.pkg.q as q", {"pkg.q"}),
        ("from cython.cimports import (mod,\n  more)", {"mod", "more"}),
        ("from ....up cimport beyond", set()),
    ],
)
def test_names_that_a_source_cimports(text: str, names: set[str]) -> None:
    found = set(cimports.cimported(text, "pkg.sub.mod", package=False))
    assert names <= found
    assert ("beyond" in text) <= (found == set())


def test_a_package_is_its_own_home() -> None:
    assert "pkg.sub.x" in set(cimports.cimported("from . cimport x", "pkg.sub", package=True))


@pytest.mark.parametrize(
    "text", ["from " + "." * 200_000, "from x cimport (" * 20_000, "cimport " * 50_000, " " * 500_000 + "from"]
)
def test_no_text_is_slow_to_search(text: str) -> None:
    assert len(list(cimports.cimported(text, "a.b", package=False))) < 500_000  # quadratic would be hours


def write(root: Path, files: Mapping[str, str]) -> None:
    for name, content in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content, encoding="utf-8")


def package(root: Path, files: Mapping[str, str]) -> Package:
    write(root / "demo" / "src", {"main/__init__.py": "", **files})
    settings = BuildSettings(include_packages=("vec",))
    return Package("demo", "demo", root / "demo", "1", (LINUX,), (), (), {}, {"": settings}, BundleSettings())


def install(demo: Package, files: Mapping[str, str] = THEIRS, name: str = "Vec-2.0") -> Path:
    site = site_packages(demo, LINUX, SERIES)
    info = f"{name}.dist-info"
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD", "../../outside.h", "/etc/evil.h"])
    write(site, {**files, f"{info}/RECORD": record})
    return site


def shop(root: Path) -> Workshop:
    store, digests = Store(root / "cache"), FileDigests(root / "cache", root)

    def transcompile(place: str, _name: str, sources: Mapping[str, bytes], folders: object, *, cplusplus: bool) -> pyx.MadeC:
        assert not cplusplus
        listed = "\n".join(f"// {each}" for each in [*sorted(sources), folders])
        return pyx.MadeC({place.replace(".pyx", ".c"): f'#include "vec/api.h"\n{listed}\n'.encode()})

    found = SimpleNamespace(
        store=store,
        digests=digests,
        read=lambda file: file.path.read_bytes(),
        pyx=SimpleNamespace(transcompile=transcompile),
    )
    found.stored = lambda digest, what: Workshop.stored(cast("Workshop", found), digest, what)
    return cast("Workshop", found)


def test_what_is_found_of_an_installed_package(tmp_path: Path) -> None:
    demo = package(tmp_path, {})
    site = install(demo)
    foreign = foreign_files(demo, LINUX, SERIES, ["vec"])
    assert foreign.folders == ("vec/core/include",)
    assert foreign.include == (".packages/vec/core/include",)
    assert foreign.packages == {"vec"}
    assert set(foreign.files) == {name for name in THEIRS if name.endswith((".pxd", ".h"))}
    assert foreign.label_of([".packages/vec/core/include/vec/api.h"]) == "Vec 2.0"
    flat = {"flat/flat.h": "", "flat/flat.pxd": ""}
    install(demo, flat, "flat-1")
    assert foreign_files(demo, LINUX, SERIES, ["flat"]).folders == ("flat", ".")
    with pytest.raises(
        SettingsError, match="include-packages names numpy, which is not installed in the environment of linux_x86_64"
    ):
        foreign_files(demo, LINUX, SERIES, ["numpy"])
    (site / "vec" / "_part.pxd").unlink()
    with pytest.raises(WorkError, match=r"is not whole in .*: vec/_part.pxd is gone"):
        foreign_files(demo, LINUX, SERIES, ["vec"])
    (site / "vec" / "_part.pxd").symlink_to("/etc/passwd")
    with pytest.raises(WorkError, match="is not whole"):
        foreign_files(demo, LINUX, SERIES, ["vec"])


def keys(demo: Package, root: Path) -> tuple[str, str, set[str]]:
    """Return the key of what Cython makes and of what is gathered, and the files of the C."""
    files, bench = Layers(demo).on(LINUX), shop(root)
    foreign = foreign_files(demo, LINUX, SERIES, ["vec"])
    (module,) = find(files, demo, LINUX, bench.read).modules
    made = tasks.pyx_task(module, demo, files, bench, foreign)
    results = {made.name: made.run({})}
    gathered = tasks.gather_task(module, demo, LINUX, files, bench, made, foreign)
    c = c_source(gathered.run(results))
    seen = bench.stored(c.files["demo/one.c"], "the C").decode()
    for name in ("vec/__init__.pxd", "vec/__init__.cython-30.pxd", "vec/new.pxd", "vec/_part.pxd"):
        assert f"// {name}\n" in seen
    assert "vec/other.pxd" not in seen
    assert "['demo', 'vec']" in seen
    assert c.folders == (".packages/vec/core/include",)
    return made.key({}), gathered.key(results), set(c.files)


def test_declarations_and_headers_of_installed_packages_are_in_the_keys(tmp_path: Path) -> None:
    demo = package(tmp_path, {"main/one.pyx": "cimport vec\n"})
    site = install(demo)
    cython, gathered, files = keys(demo, tmp_path)
    inside = {f".packages/vec/core/include/vec/{name}.h" for name in ("api", "types", "deep")}
    assert files == {"demo/one.c", *inside}
    (site / "vec" / "_part.pxd").write_text("int more\n")
    other, _, _ = keys(demo, tmp_path)
    assert other != cython
    (site / "vec" / "core" / "include" / "vec" / "deep.h").write_text("int more;\n")
    again, more, _ = keys(demo, tmp_path)
    assert again == other
    assert more != gathered
    (site / "vec" / "other.pxd").write_text("int more\n")
    assert keys(demo, tmp_path)[0] == other


def test_what_lies_beside_a_python_module(tmp_path: Path) -> None:
    files = {
        "main/mod.py": "def f(x): return x\n",
        "main/mod.pxd": 'from .types cimport T\ncdef extern from "own.h":\n    pass\n',
        "main/types.pxd": "cimport vec\n",
        "main/own.h": '#include "more.h"\n',
        "main/more.h": "",
        "main/plain.py": "# no cimport of anything\n",
        "main/pure.py": "from cython.cimports.demo.types import T\n",
        "linux/more.h": "int of_linux;\n",
    }
    demo = package(tmp_path, files)
    install(demo)
    seen, bench = Layers(demo).on(LINUX), shop(tmp_path)
    by = {file.place: file for file in seen}
    foreign = foreign_files(demo, LINUX, SERIES, ["vec"])
    found = beside(by["mod.py"], demo, seen, foreign, bench)
    assert {place for place, _ in found.declarations} >= {"demo/mod.pxd", "demo/types.pxd", "vec/__init__.pxd", "vec/_part.pxd"}
    assert {place for place, _ in found.headers} >= {"demo/own.h", "demo/more.h", ".packages/vec/core/include/vec/api.h"}
    assert found.folders == (".packages/vec/core/include",)
    assert found.packages == ("demo", "vec")
    assert found.variant.startswith(" linux with Vec 2.0 (")
    assert beside(by["plain.py"], demo, seen, foreign, bench).declarations == ()
    pure = beside(by["pure.py"], demo, seen, foreign, bench)
    assert "demo/types.pxd" in dict(pure.declarations)
    assert "demo/mod.pxd" not in dict(pure.declarations)
    before = found.inputs
    by["mod.pxd"].path.write_text("# nothing any more\n")
    assert beside(by["mod.py"], demo, seen, foreign, shop(tmp_path)).inputs != before
    bare = replace(demo, root=tmp_path / "bare")
    write(bare.source, {"main/__init__.py": ""})
    assert beside(by["mod.py"], bare, Layers(bare).on(LINUX), Foreign(), bench).declarations == ()


def test_a_header_that_leads_out_is_refused_whoever_names_it(tmp_path: Path) -> None:
    demo = package(tmp_path, {"main/mod.py": "", "main/mod.pxd": 'cdef extern from "/etc/passwd":\n    pass\n'})
    seen = Layers(demo).on(LINUX)
    file = next(each for each in seen if each.place == "mod.py")
    with pytest.raises(SourceError, match="leads out of the package"):
        beside(file, demo, seen, Foreign(), shop(tmp_path))


def test_cythons_words_get_a_hint() -> None:
    lost = (pyx.Problem("demo/one.pyx", "1:8: 'numpy.pxd' not found"),)
    assert "Is numpy a package that is installed? Name it in [tool.pypackpack.build] include-packages" in tasks.pyx_hint(
        lost, None
    )
    assert "others of what include-packages names" in tasks.pyx_hint(lost, Foreign({"x.pxd": None}))  # type: ignore[dict-item]
    assert "Correct the source" in tasks.pyx_hint((pyx.Problem("demo/one.pyx", "1:8: no"),), None)
    assert packages.ROOT.isidentifier() is False
