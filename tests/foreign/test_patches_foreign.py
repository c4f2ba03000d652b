"""Patches are applied by Pythons of other platforms: the client alone, with their standard libraries."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from pypackpack.client.patch import read_patch
from pypackpack.middleware.patch.build import CODECS, LEAN_CODECS
from pypackpack.middleware.patch.make import make_patch, read_identity
from pypackpack.model.interpreter import NEWEST, OLDEST
from tests.builds import PYTHON, ROOT
from tests.unit.client.forge import NEW, OLD, contents, wheel
from tests.unit.client.forge_elf import versions

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import PythonOf

JOB = """
import sys
from pathlib import Path
from pypackpack.client.patch import PatchError, WrongPatchError, WrongPrimaryError, apply_patch, read_patch

folder = Path(sys.argv[1])
(patch,) = folder.glob("*.whl.patch")
(old,) = folder.glob("*.whl")
mine = read_patch(patch).digest
for wrong in ("0" * 64, ""):
    try:
        apply_patch(patch, old, folder / "out", identity=wrong)
    except WrongPatchError:
        pass
    else:
        sys.exit("a patch that was not expected was taken")
result = apply_patch(patch, old, folder / "out", identity=mine)
try:
    apply_patch(patch, result, folder / "out")
except WrongPrimaryError:
    pass
else:
    sys.exit("a wrong primary was taken")
patch.write_bytes(patch.read_bytes()[:-1] + b"?")
try:
    apply_patch(patch, old, folder / "other")
except PatchError:
    print(result.name, sorted(p.name for p in (folder / "other").iterdir()))
"""


@pytest.mark.parametrize(
    ("target", "series", "codecs"),
    [
        ("linux_arm64", PYTHON, CODECS),
        ("windows_amd64", (3, 12), CODECS),
        ("emscripten_wasm32", (3, 13), LEAN_CODECS),
        ("linux_x86_64", OLDEST, ("deflate",)),  # provide.py makes it without lzma and bz2
        ("linux_x86_64", NEWEST, ("deflate",)),
    ],
)
def test_a_patch_is_applied_there(
    target: str, series: tuple[int, int], codecs: tuple[str, ...], foreign_python: PythonOf, tmp_path: Path
) -> None:
    python = foreign_python(target, series)
    site, work = tmp_path / "site", tmp_path / "work"
    (site / "pypackpack").mkdir(parents=True)
    shutil.copy(ROOT / "pypackpack" / "__init__.py", site / "pypackpack")
    shutil.copytree(ROOT / "pypackpack" / "client", site / "pypackpack" / "client")
    code = [{"demo/x.so": x, "demo/a.so": a} for x, a in zip(versions("x86"), versions("arm64"), strict=True)]
    old = wheel(work / "demo-1.0-py3-none-any.whl", {**OLD, **code[0]}, record="demo-1.0.dist-info")
    new = wheel(work / "new" / "demo-1.1-py3-none-any.whl", {**NEW, **code[1]}, record="demo-1.1.dist-info")
    patch = work / "demo-1.0-p1-py3-none-any.whl.patch"
    patch.write_bytes(make_patch(old, new, number=1, codecs=codecs))
    assert sum(step.image is not None for step in read_patch(patch).steps) == 2  # addresses in code of both machines
    done = python.run(JOB, paths=[site, work], args=[python.see(work)])
    assert done.returncode == 0, done.stderr
    assert done.stdout.split(maxsplit=1) == ["demo-1.1-py3-none-any.whl", "[]\n"]
    result = work / "out" / "demo-1.1-py3-none-any.whl"
    assert contents(result) == contents(new)
    assert read_identity(result) == read_identity(new)
