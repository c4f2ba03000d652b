"""Folders of wheels: the pages of the index, names of wheels, and which file of the lock a dependency came from."""

from __future__ import annotations

import hashlib
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin

import pytest

from pypackpack.backend.store import Store
from pypackpack.middleware.bundle.installed import Distribution, InstalledFile
from pypackpack.middleware.bundle.originals import REQUIRES_PYTHON, Original, original_task, originals, requires_python
from pypackpack.middleware.bundle.separate import PlacedWheel, _tags, index_files
from pypackpack.middleware.environment.place import environment_folder
from pypackpack.middleware.target import table
from pypackpack.model.errors import MissingToolError, WorkError
from pypackpack.model.project import BundleSettings, Package, Project
from tests.wheelhouse import wheel

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.middleware.compile.workshop import Workshop


class Links(HTMLParser):
    """Reads a page as an installer does."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found.append(dict(attrs))


def links(page: bytes) -> list[dict[str, str | None]]:
    parser = Links()
    parser.feed(page.decode())
    return parser.found


def test_pages_lead_to_the_files_beside_them() -> None:
    files = index_files(
        [
            PlacedWheel("b_c-1.0+x.1-py3-none-any.whl", "2" * 64, 1, '>=3.10,<4"'),
            PlacedWheel("a-1.0-py3-none-any.whl", "1" * 64, 1, ""),
            PlacedWheel("a-1.0-cp312-cp312-win_amd64.whl", "3" * 64, 1, ""),
        ]
    )
    assert sorted(files) == ["SHA256SUMS", "simple/a/index.html", "simple/b-c/index.html", "simple/index.html"]
    assert [each["href"] for each in links(files["simple/index.html"])] == ["a/", "b-c/"]
    (link,) = links(files["simple/b-c/index.html"])
    place = urljoin("file:///folder/simple/b-c/index.html", link["href"])
    assert unquote(place.partition("#")[0]) == "file:///folder/b_c-1.0+x.1-py3-none-any.whl"
    assert place.endswith("#sha256=" + "2" * 64)
    assert link["data-requires-python"] == '>=3.10,<4"'
    assert [each.get("data-requires-python") for each in links(files["simple/a/index.html"])] == [None, None]
    assert files["SHA256SUMS"].decode().splitlines()[0] == "3" * 64 + "  a-1.0-cp312-cp312-win_amd64.whl"


def distribution(folder: Path, text: str) -> Distribution:
    place = folder / "WHEEL"
    place.write_text(text)
    file = InstalledFile("dep-1.0.dist-info/WHEEL", "dep 1.0", "0" * 64, len(text), place)
    return Distribution("dep", "1.0", "dep-1.0.dist-info", (file,))


def test_the_tags_of_a_name_are_those_of_the_wheel_file(tmp_path: Path) -> None:
    text = "Tag: cp312-cp312-manylinux_2_17_x86_64\nTag: cp312-cp312-manylinux2014_x86_64\n"
    assert _tags(distribution(tmp_path, text)) == "cp312-cp312-manylinux2014_x86_64.manylinux_2_17_x86_64"
    assert _tags(distribution(tmp_path, "Tag: py2-none-any\nTag: py3-none-any\n")) == "py2.py3-none-any"
    for wrong in ("Tag: py3-none-any\nTag: cp312-cp312-win32\n", "Root-Is-Purelib: true\n", "Tag: any\n"):
        with pytest.raises(WorkError, match=r"dep 1\.0"):
            _tags(distribution(tmp_path, wrong))


def test_what_metadata_asks_of_python_is_one_line() -> None:
    assert requires_python(b"Name: a\nRequires-Python: >=3.10,\n  <4\n\nRequires-Python: no\n") == ">=3.10, <4"
    assert requires_python(b"Name: a\n") == ""


def package(root: Path) -> Package:
    return Package("app", "app", root / "app", "1.0", (), (), (), {}, {}, BundleSettings())


def lay(root: Path, text: str, target: str = "linux_x86_64") -> dict[str, Original]:
    """Write an environment's lock and read which wheels it was installed from."""
    place = environment_folder(package(root), table.find(target)) / "pylock.toml"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text('lock-version = "1.0"\n' + text)
    return originals(package(root), table.find(target), (3, 12))


def test_the_lock_says_which_file_it_was(tmp_path: Path) -> None:
    digest = "a" * 64
    assert originals(package(tmp_path), table.find("linux_x86_64"), (3, 12)) == {}
    found = lay(
        tmp_path,
        f"""
[[packages]]
name = "One.Two"
version = "1.0"
wheels = [
    {{ url = "https://index.example/one_two-1.0-cp312-cp312-win_amd64.whl", size = 1, hashes = {{ sha256 = "{digest}" }} }},
    {{ url = "https://index.example/one_two-1.0-py3-none-any.whl", size = 7, hashes = {{ sha256 = "{digest}" }} }},
]
[[packages]]
name = "elsewhere"
marker = "sys_platform == 'win32'"
wheels = [{{ url = "https://index.example/elsewhere-1-py3-none-any.whl", hashes = {{ sha256 = "{digest}" }} }}]
[[packages]]
name = "here"
wheels = [{{ path = "../../here-1-py3-none-any.whl", hashes = {{ sha256 = "{digest}" }} }}]
[[packages]]
name = "source"
directory = {{ path = "../source" }}
""",
    )
    assert found["one-two"] == Original(
        "one_two-1.0-py3-none-any.whl", digest, "https://index.example/one_two-1.0-py3-none-any.whl", 7
    )
    assert found["here"].url == (tmp_path / "app" / "build" / "here-1-py3-none-any.whl").as_uri()
    assert set(found) == {"one-two", "here"}


@pytest.mark.parametrize("end", ["x\\\\evil", "a:b"])
def test_a_name_that_is_no_file_anywhere_is_refused(tmp_path: Path, end: str) -> None:
    name = f"a-1-py3-none-any.{end}.whl"
    hashes = f'hashes = {{ sha256 = "{"a" * 64}" }}'
    with pytest.raises(WorkError, match="cannot be called"):
        lay(tmp_path, f'[[packages]]\nname = "a"\nwheels = [{{ name = "{name}", url = "https://x/a", {hashes} }}]\n')


class Shop:
    """What of a workshop is needed to have a file in the store."""

    def __init__(self, root: Path) -> None:
        self.store = Store(root)


def test_a_wheel_comes_from_vendor_or_from_where_the_lock_says(tmp_path: Path) -> None:
    made = wheel(tmp_path / "there", "dep")
    digest, size = hashlib.sha256(made.read_bytes()).hexdigest(), made.stat().st_size
    project = Project("whole", tmp_path, ())
    (tmp_path / "pyproject.toml").write_text("")
    shop: Workshop = Shop(tmp_path / "cache")  # type: ignore[assignment] # the part that is used

    def task(url: str, sha256: str = digest) -> object:
        original = Original(made.name, sha256, url, size)
        return original_task("wheel", original, project, shop, "app", offline=True).run({})

    with pytest.raises(MissingToolError, match="without a network"):
        task("https://index.example/dep.whl")
    result = task(made.as_uri())
    assert result.outputs == {"wheel": digest}  # type: ignore[attr-defined]
    assert result.facts == {"size": str(size), REQUIRES_PYTHON: ""}  # type: ignore[attr-defined]
    assert shop.store.read(digest) == made.read_bytes()
    vendor = wheel(tmp_path / "vendor", "dep")
    assert task("https://index.example/dep.whl") == result
    vendor.write_bytes(b"something else")
    with pytest.raises(WorkError, match="is not what the lock says"):
        task("https://index.example/dep.whl")
    with pytest.raises(WorkError, match="is not what the lock says"):
        task(made.as_uri(), "b" * 64)
