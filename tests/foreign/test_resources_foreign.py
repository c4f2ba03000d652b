"""Archives of data files are read, and brought up to date, by Pythons of other platforms: the client alone, with their libraries."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from pypackpack.client.resource import open_resource
from pypackpack.client.resource_update import difference
from pypackpack.middleware.build import build
from pypackpack.model.build import BuildRequest, Bundle, Silent
from pypackpack.model.interpreter import NEWEST, OLDEST
from tests.builds import PYTHON, ROOT
from tests.data_project import project

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import PythonOf

JOB = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from pypackpack.client.resource import DamagedResourceError, open_resource
from pypackpack.client.resource_format import HEADER, head_size, parse_head
from pypackpack.client.resource_update import update

folder, threads = Path(sys.argv[1]), sys.platform != "emscripten"
data = (folder / "new.resource").read_bytes()
head = data[:head_size(data[:HEADER.size])]
asked = []

def fetch(start, count):
    asked.append(count)
    return data[start:start + count]

def cut(start, count):
    raise ConnectionError

with open_resource(folder / "old.resource") as old:
    old.verify()
    try:
        update([old], head, cut, folder / "out" / "made.resource")
    except ConnectionError:
        print(len(list((folder / "out").iterdir())), "begun")
    update([old], head, fetch, folder / "out" / "made.resource", identity=parse_head(head).identity)
assert (folder / "out" / "made.resource").read_bytes() == data
print(len(list((folder / "out").iterdir())), "there")
with open_resource(folder / "out" / "made.resource", held=50_000) as new:
    root = new.files()
    paths = [entry.path for entry in new]
    whole = [new.read(path) for path in paths]
    if threads:
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(new.read, paths)) == whole
    with (root / "data" / "big.bin").open("rb") as stream:
        stream.seek(-5, 2)
        end = stream.read()
    assert end == new.read("data/big.bin")[-5:]
    print(sum(asked), (root / "data/one.txt").read_text(), sorted(each.name for each in (root / "data").iterdir()))
broken = bytearray(data)
broken[-1] ^= 1
(folder / "out" / "broken.resource").write_bytes(bytes(broken))
with open_resource(folder / "out" / "broken.resource") as new:
    try:
        new.verify()
    except DamagedResourceError:
        print("refused")
"""


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two versions of an archive, as a build makes them."""
    folder = tmp_path_factory.mktemp("archives")
    root = project(folder, targets=("linux_x86_64",))
    request = BuildRequest(start=root, package="small", bundle=Bundle.RESOURCE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYPACKPACK_CACHE_DIR", str(folder / "cache"))
        old = shutil.copy(build(request, Silent()).artifacts[0].path, folder / "old.resource")
        (root / "small" / "src" / "main" / "data" / "one.txt").write_text("Zwölf")
        new = shutil.copy(build(request, Silent()).artifacts[0].path, folder / "new.resource")
    return old, new


@pytest.mark.parametrize(
    ("target", "series"),
    [
        ("linux_arm64", PYTHON),
        ("windows_amd64", (3, 12)),
        ("emscripten_wasm32", (3, 13)),
        ("linux_x86_64", OLDEST),
        ("linux_x86_64", NEWEST),
    ],
)
def test_an_archive_is_read_there(
    target: str, series: tuple[int, int], archives: tuple[Path, Path], foreign_python: PythonOf, tmp_path: Path
) -> None:
    python = foreign_python(target, series)
    site, work = tmp_path / "site", tmp_path / "work"
    (site / "pypackpack").mkdir(parents=True)
    shutil.copy(ROOT / "pypackpack" / "__init__.py", site / "pypackpack")
    shutil.copytree(ROOT / "pypackpack" / "client", site / "pypackpack" / "client")
    work.mkdir()
    for each in archives:
        shutil.copy(each, work)
    done = python.run(JOB, paths=[site, work], args=[python.see(work)])
    assert done.returncode == 0, done.stderr
    with open_resource(archives[0]) as old, open_resource(archives[1]) as new:
        missing = difference([old.index], new.index).missing
    names = ["big.bin", "empty", "not-a-module.py", "one.txt", "same.bin", "words.txt"]
    assert done.stdout.splitlines() == ["1 begun", "1 there", f"{missing} Zwölf {names}", "refused"]
