"""Which licence files go along."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from pypackpack.middleware.bundle.licenses import license_files

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{folder.name}:{name}")


def found(project: Path, patterns: object = None) -> tuple[dict[str, str], list[str]]:
    problems: list[str] = []
    files = license_files(patterns, project / "pkg", project, lambda key, text: problems.append(f"{key}: {text}"))
    return {path: data.decode() for path, data in files}, problems


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    write(folder, "LICENSE", "NOTICE.md", "README.md", "pkg/README.md")
    return folder


def test_a_package_without_licence_gets_the_projects(project: Path) -> None:
    assert found(project) == ({"LICENSE": "project:LICENSE", "NOTICE.md": "project:NOTICE.md"}, [])


def test_a_packages_own_licence_is_enough(project: Path) -> None:
    write(project / "pkg", "COPYING")
    assert found(project) == ({"COPYING": "pkg:COPYING"}, [])


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such a name")
def test_a_name_that_is_no_text_is_refused(project: Path) -> None:
    (project / "pkg" / os.fsdecode(b"LICENSE\xff")).write_text("text")
    files, (problem,) = found(project)
    assert files == {}
    assert problem.startswith("project.license-files: LICENSE")
    assert problem.endswith("its path has a letter that is not Unicode text; rename the file")


def test_an_empty_list_means_none(project: Path) -> None:
    assert found(project, []) == ({}, [])


def test_patterns_look_in_the_package_then_in_the_project(project: Path) -> None:
    write(project / "pkg", "LICENSE", "licenses/deep/a.txt", "build/crossenv/x/a.txt", ".venv/a.txt", "licenses/b.rst")
    files, problems = found(project, ["LICENSE", "NOTICE*", "**/a.txt", "licenses/[a-c].rst"])
    assert files == {
        "LICENSE": "pkg:LICENSE",
        "NOTICE.md": "project:NOTICE.md",
        "licenses/deep/a.txt": "pkg:licenses/deep/a.txt",
        "licenses/b.rst": "pkg:licenses/b.rst",
    }
    assert problems == []


def test_case_is_told_apart_on_every_system(project: Path) -> None:
    files, problems = found(project, ["license"])
    assert files == {}
    assert len(problems) == 1


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("../LICENSE", "PEP 639"),
        ("/LICENSE", "absolute"),
        ("C:/x", "absolute"),
        ("a\\b", "backslash"),
        ("{a,b}", "character"),
        (3, "text"),
    ],
)
def test_wrong_patterns_are_said(project: Path, pattern: object, why: str) -> None:
    files, problems = found(project, ["NOTICE.md", pattern])
    assert list(files) == ["NOTICE.md"]
    assert [problem.partition(":")[0] for problem in problems] == ["project.license-files[1]"]
    assert why in problems[0]


def test_something_that_is_no_list_is_said(project: Path) -> None:
    assert found(project, "LICENSE") == ({}, ["project.license-files: expected a list of patterns"])


def test_a_link_out_of_the_project_is_refused(project: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (project / "pkg" / "LICENSE").symlink_to(tmp_path / "secret")
    files, problems = found(project)
    assert files == {}
    assert "outside of the project" in problems[0]
