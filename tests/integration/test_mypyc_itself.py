"""mypyc itself: the same C from the same source, what it is told of targets, refusals, and what a worker remembers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from mypyc.common import RUNTIME_C_FILES

from pypackpack.backend import process
from pypackpack.backend.tools import mypyc
from pypackpack.model.errors import ToolError
from tests.builds import PACKAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCES = PACKAGES / "typed" / "exact" / "src" / "main"
LINUX = mypyc.Machine((3, 11), 8)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[mypyc.Mypyc]:
    with mypyc.Mypyc(tmp_path_factory.mktemp("mypyc"), LINUX) as found:
        yield found


def made(worker: mypyc.Mypyc, name: str, platform: str = "linux") -> mypyc.Generated:
    module = f"exact.{name}".removesuffix(".__init__")
    return worker.generate(f"exact/{name}.py", module, (SOURCES / f"{name}.py").read_bytes(), platform)


def test_the_library_that_modules_link_is_mypycs_own() -> None:
    assert list(mypyc.RUNTIME_FILES) == RUNTIME_C_FILES
    assert all((mypyc.library() / name).is_file() for name in mypyc.RUNTIME_FILES)


def test_the_same_source_gives_the_same_c_whatever_came_before(here: mypyc.Mypyc, tmp_path: Path) -> None:
    names = ("shapes", "heirs", "__init__", "flows", "shapes", "heirs", "systems")
    warm = [made(here, name) for name in names]
    assert [found.errors for found in warm] == [()] * len(names)
    assert warm[:2] == warm[4:6]
    for name, before in zip(("heirs", "systems"), (warm[1], warm[-1]), strict=True):
        with mypyc.Mypyc(tmp_path / name, LINUX) as cold:
            assert made(cold, name) == before
    text = b"".join(data for found in warm for data in found.files.values())
    assert str(tmp_path.parent).encode() not in text
    assert str(Path.home()).encode() not in text
    assert str(SOURCES).encode() not in text


def test_the_platform_and_the_size_decide(here: mypyc.Mypyc, tmp_path: Path) -> None:
    unix, windows = made(here, "systems"), made(here, "systems", "win32")
    assert b"getuid" in unix.files[unix.source]
    assert b"getuid" not in windows.files[windows.source]
    assert b"USERNAME" in windows.files[windows.source]
    with mypyc.Mypyc(tmp_path, mypyc.Machine((3, 13), 4)) as small:
        assert made(small, "numbers").files != made(here, "numbers").files


def test_refusals_name_line_and_column(here: mypyc.Mypyc) -> None:
    assert made(here, "refused_untyped").errors == ("4:0: Function is missing a type annotation  [no-untyped-def]",)
    (wrong,) = made(here, "refused_wrong").errors
    assert wrong.startswith("5:11: Incompatible return value type")
    for head in ("# mypy: ignore-errors", "# type: ignore"):  # mypy would leave the bodies of functions out, or all of it
        ignored = here.generate("exact/i.py", "exact.i", f"{head}\n\ndef f() -> int:\n    return 1\n".encode(), "linux")
        assert ignored.errors[0].startswith("1:0: mypy does not look into it")
    crash = here.generate("exact/crash.py", "exact.crash", b"class A:\n    class B: ...\n", "linux")
    assert crash.errors == ("2:0: Unsupported statement in class body",)


def test_it_may_not_take_longer_than_the_limit(tmp_path: Path) -> None:
    with process.hearing(0.05), mypyc.Mypyc(tmp_path, LINUX) as worker, pytest.raises(ToolError, match=r"within 0\.05 seconds"):
        made(worker, "numbers")
