"""`import` of other tools' project files, and the indexes that files name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pypackpack.middleware.dependency.import_indexes import planned, taken_for
from pypackpack.middleware.dependency.requirements import requirement_files
from pypackpack.middleware.project.read import load_project
from pypackpack.middleware.project.toml import read_toml
from pypackpack.model.errors import RequirementsFileError

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.requirement import RequirementFiles

POETRY = """\
[tool.poetry]
name = "till"

[tool.poetry.dependencies]
python = "^3.11"
httpx = { version = "^0.28", source = "corp" }
colorama = { version = "*", platform = "win32" }
lxml = { version = "^5", optional = true }
old = [{ version = "^1", python = "<3.12" }, { version = "^2", python = ">=3.12" }]

[tool.poetry.dependencies.rich]
version = "~13.7"

[tool.poetry.extras]
xml = ["lxml"]

[tool.poetry.dev-dependencies]
pytest = "^8"

[tool.poetry.group.docs.dependencies]
mkdocs = "*"

[[tool.poetry.source]]
name = "corp"
url = "https://me:secret@corp.example/simple/"
priority = "explicit"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path.resolve()


def read(root: Path, text: str, part: str | None = None, name: str = "other/pyproject.toml") -> RequirementFiles:
    path = root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return requirement_files([path], root, {}, part)


def lines(found: RequirementFiles) -> list[str]:
    return [f"{each.name}{each.specifier}{f'; {each.marker}' if each.marker else ''}:{each.place.line}" for each in found.asked]


MAIN = [
    "httpx<1,>=0.28:6",
    'colorama; sys_platform == "win32":7',
    'old<2,>=1; python_version < "3.12":9',
    'old<3,>=2; python_version >= "3.12":9',
    "rich<13.8,>=13.7:11",
]


def test_a_project_of_poetry(root: Path) -> None:
    found = read(root, POETRY.replace("^0.28", ">=0.28,<1"))
    assert lines(found) == [*MAIN, "pytest<9,>=8:18", "mkdocs:21"]
    assert [(str(each.place), each.what) for each in found.not_taken] == [
        ("other/pyproject.toml:5", "python ^3.11"),
        ("other/pyproject.toml:6", "source corp of httpx"),
        ("other/pyproject.toml:8", "lxml>=5,<6"),
    ]
    assert found.not_taken[2].why == 'It is only for the extra xml; `pypackpack add "lxml>=5,<6"` takes it.'
    (index,) = found.indexes
    assert (index.url, index.kind, index.name, index.secret) == ("https://corp.example/simple/", "explicit", "corp", True)
    assert "secret" not in index.shown


def test_parts_of_it(root: Path) -> None:
    assert lines(read(root, POETRY, "docs")) == ["mkdocs:21"]
    found = read(root, POETRY.replace("^0.28", ">=0.28,<1"), "")
    assert lines(found) == MAIN
    assert [each.what for each in found.not_taken[:2]] == ["tool.poetry.dev-dependencies", "tool.poetry.group.docs.dependencies"]
    with pytest.raises(RequirementsFileError) as caught:
        read(root, POETRY, "test")
    assert caught.value.details == "other/pyproject.toml: it has no group test to take (there are: dev, docs)"


def test_what_poetry_says_and_pep_508_cannot(root: Path) -> None:
    with pytest.raises(RequirementsFileError) as caught:
        read(root, '[tool.poetry.dependencies]\nsix = "^1 || ^3"\nflask = "newest"\n')
    assert caught.value.details.splitlines() == [
        'other/pyproject.toml:2: six: "^1 || ^3" has no form in PEP 440, which knows no "or"',
        'other/pyproject.toml:3: flask: "newest" is no version constraint',
    ]


def test_lists_of_other_tools(root: Path) -> None:
    (root / "own").mkdir()
    (root / "own" / "pyproject.toml").write_text('[project]\nname = "own-lib"\n')
    text = (
        '[project]\nname = "x"\ndependencies = ["one>=1"]\n[dependency-groups]\ntest = ["two"]\nall = ["three", {include-group = "test"}]\n'
        '[tool.pdm.dev-dependencies]\nlint = ["four", "-e file:///${PROJECT_ROOT}/../own#egg=own-lib"]\n'
        '[tool.hatch.envs.default]\ndependencies = ["five"]\n[tool.flit.metadata]\nrequires = ["six"]\n'
        '[tool.uv]\ndev-dependencies = ["seven"]\n[[tool.pdm.source]]\nname = "pypi"\nurl = "https://corp.example/simple"\n'
    )
    found = read(root, text)
    assert [each.name for each in found.asked] == ["one", "two", "three", "two", "four", "own-lib", "five", "six", "seven"]
    assert (found.asked[5].path, found.asked[5].editable) == (root / "own", True)
    assert [(index.kind, index.name) for index in found.indexes] == [("default", "pypi")]
    assert [each.name for each in read(root, text, "all").asked] == ["three", "two"]


def test_of_the_project_itself_only_what_is_not_in_force(root: Path) -> None:
    text = '[project]\nname = "x"\ndependencies = ["one"]\n[dependency-groups]\ndev = ["two"]\n[tool.pdm.dev-dependencies]\na = ["three"]\n'
    assert [each.name for each in read(root, text, name="pyproject.toml").asked] == ["three"]
    assert [each.name for each in read(root, text, "", name="pyproject.toml").asked] == ["one"]


def test_for_a_package_each_group_is_named_once_and_not_where_it_is_in_force(root: Path) -> None:
    groups = (
        '[tool.poetry.group.dev.dependencies]\nPy_Test = "^8"\nsix = "*"\n[tool.poetry.group.docs.dependencies]\nmkdocs = "*"\n'
    )
    said = ["tool.poetry.group.dev.dependencies", "tool.poetry.group.docs.dependencies"]
    assert [each.what for each in read(root, groups, "", name="pyproject.toml").not_taken] == said
    made = groups + '[dependency-groups]\ndev = ["py-test>=8,<9", "six"]\n'
    assert [each.what for each in read(root, made, "", name="pyproject.toml").not_taken] == said[1:]
    assert [each.what for each in read(root, made + 'docs = ["mkdocs"]\n', "", name="pyproject.toml").not_taken] == []
    # Of another project's file nothing is in force here.
    assert [each.what for each in read(root, made, "").not_taken] == ["dependency-groups.dev", *said]


def test_setup_cfg(root: Path) -> None:
    text = "[metadata]\nname = x\n[options]\ninstall_requires =\n    # why\n    six>=1.16\n    file: more.txt\ntests_require = pytest\n"
    assert lines(read(root, text, name="other/setup.cfg")) == ["six>=1.16:6", "pytest:8"]


@pytest.mark.parametrize("text", ["[broken", "\udcff"])
def test_a_file_that_cannot_be_read(root: Path, text: str) -> None:
    path = root / "pyproject.toml"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(RequirementsFileError) as caught:
        requirement_files([path], root, {})
    assert caught.value.details.startswith("pyproject.toml: ")


# Indexes ------------------------------------------------------------------------------------------------------------------------


def asked(root: Path, text: str) -> RequirementFiles:
    (root / "services").mkdir(exist_ok=True)
    (root / "services" / "requirements.txt").write_text(text)
    return requirement_files([root / "services" / "requirements.txt"], root, {"TOKEN": "hidden"})


OPTIONS = (
    "--index-url https://corp.example/simple\n--extra-index-url=https://me:${TOKEN}@corp.example/more/\n"
    "-f ../wheels\n--find-links https://corp.example/files.html\n--extra-index-url https://pypi.org/simple/\n"
    "--extra-index-url https://corp.example/more\n"
)


def test_indexes_are_planned_once_each_without_credentials(root: Path) -> None:
    found = asked(root, OPTIONS)
    taken, refused = planned([index for index in found.indexes if "pypi" not in index.url], [], root)
    assert refused == ()
    assert [(each.name, each.url, each.kind, each.secret, [place.line for place in each.places]) for each in taken] == [
        ("corp-example", "https://corp.example/simple", "default", False, [1]),
        ("corp-example-2", "https://corp.example/more/", "extra", True, [2, 6]),
        ("wheels", "./wheels", "flat", False, [3]),
        ("corp-example-3", "https://corp.example/files.html", "flat", False, [4]),
    ]
    assert "hidden" not in repr(found)


def test_an_index_that_is_there_keeps_its_name_and_a_second_default_is_refused(root: Path) -> None:
    known = [{"name": "mine", "url": "https://corp.example/simple/"}, {"url": "https://other.example/simple", "default": True}]
    taken, refused = planned(
        asked(root, "--extra-index-url https://corp.example/simple\n-i https://new.example\n").indexes, known, root
    )
    assert [each.name for each in taken] == ["mine"]
    assert [each.what for each in refused] == ["-i https://new.example"]


PROJECT = '[project]\nname = "x"\nversion = "1"\n\n[tool.pypackpack]\npackages = []\n\n[build-system]\nrequires = []\n'


def test_indexes_are_written_and_taken_back_when_the_rest_fails(root: Path) -> None:
    (root / "pyproject.toml").write_text(PROJECT)
    found = asked(root, OPTIONS)
    project = load_project(root)

    class BrokenOffError(Exception):
        pass

    def fail() -> None:
        with taken_for(project, found.indexes, take=True):
            assert "corp.example" in (root / "pyproject.toml").read_text()
            raise BrokenOffError

    with pytest.raises(BrokenOffError):
        fail()
    assert (root / "pyproject.toml").read_text() == PROJECT
    with taken_for(project, found.indexes, take=True) as where:
        pass
    assert [each.what for each in where.not_taken] == ["--extra-index-url https://pypi.org/simple/"]
    assert not where.not_taken[0].matters
    text = (root / "pyproject.toml").read_text()
    assert read_toml(root / "pyproject.toml")["tool"]["uv"]["index"] == [
        {"name": "corp-example", "url": "https://corp.example/simple", "default": True},
        {"name": "corp-example-2", "url": "https://corp.example/more/"},
        {"name": "wheels", "url": "./wheels", "format": "flat"},
        {"name": "corp-example-3", "url": "https://corp.example/files.html", "format": "flat"},
    ]
    assert "\n\n[build-system]\n" in text
    assert "hidden" not in text
    with taken_for(project, found.indexes, take=True):
        pass
    assert (root / "pyproject.toml").read_text() == text


def test_unasked_nothing_is_written(root: Path) -> None:
    (root / "pyproject.toml").write_text(PROJECT)
    with taken_for(load_project(root), asked(root, OPTIONS).indexes, take=False) as where:
        pass
    assert (root / "pyproject.toml").read_text() == PROJECT
    assert where.taken == ()
    assert [(each.what, each.matters) for each in where.not_taken] == [
        ("--extra-index-url https://pypi.org/simple/", False),
        ("--index-url https://corp.example/simple", True),
        ("--extra-index-url https://corp.example/more/", True),
        ("-f ../wheels", True),
        ("--find-links https://corp.example/files.html", True),
        ("--extra-index-url https://corp.example/more", True),
    ]
    assert all("--take-indexes" in each.why for each in where.not_taken[1:])
