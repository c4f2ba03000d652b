"""Requirements files as pip reads them: every form of a line, includes, encodings, and what is wrong with file and line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pypackpack.middleware.dependency.requirements import decoded, files_in, logical_lines, requirement_files
from pypackpack.model.errors import RequirementsFileError

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.requirement import Asked, RequirementFiles


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path.resolve()


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / (name.replace("__", "/") + ".txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def read(root: Path, text: str, **environment: str) -> RequirementFiles:
    write(root, requirements=text)
    return requirement_files([root / "requirements.txt"], root, environment)


def one(root: Path, text: str, **environment: str) -> Asked:
    (found,) = read(root, text, **environment).asked
    return found


def wrong(root: Path, text: str, **environment: str) -> list[str]:
    with pytest.raises(RequirementsFileError) as caught:
        read(root, text, **environment)
    assert caught.value.hint
    return caught.value.details.splitlines()


@pytest.mark.parametrize(
    ("text", "name", "extras", "specifier", "marker"),
    [
        ("numpy", "numpy", (), "", ""),
        ("NumPy [b,a] >= 1.2 , <2  # why", "NumPy", ("a", "b"), "<2,>=1.2", ""),
        (
            "foo==1.* ; python_version<'3.12' and sys_platform == \"win32\"",
            "foo",
            (),
            "==1.*",
            'python_version < "3.12" and sys_platform == "win32"',
        ),
        ("foo===weird", "foo", (), "===weird", ""),
    ],
)
def test_names(root: Path, text: str, name: str, extras: tuple[str, ...], specifier: str, marker: str) -> None:
    found = one(root, text)
    assert (found.name, found.extras, found.specifier, found.marker) == (name, extras, specifier, marker)
    assert str(found.place) == "requirements.txt:1"


@pytest.mark.parametrize(
    ("text", "name", "url"),
    [
        ("foo @ https://h/foo-1.0.tar.gz", "foo", "https://h/foo-1.0.tar.gz"),
        ("foo[x] @ git+https://h/foo@v1#subdirectory=a", "foo", "git+https://h/foo@v1#subdirectory=a"),
        ("git+https://h/r.git@v1#egg=bee[x]&subdirectory=a", "bee", "git+https://h/r.git@v1#subdirectory=a"),
        ("-e git+ssh://git@h/r.git#egg=bee", "bee", "git+ssh://git@h/r.git"),
        ("https://h/dir/bar_x-1.0-py3-none-any.whl", "bar-x", "https://h/dir/bar_x-1.0-py3-none-any.whl"),
        ("https://user:secret@h/foo-1.0.tar.gz", "foo", "https://h/foo-1.0.tar.gz"),
        ("foo @ https://user:${WORD}@h/foo-1.0.tar.gz", "foo", "https://user:${WORD}@h/foo-1.0.tar.gz"),
    ],
)
def test_urls_without_passwords_and_with_their_variables(root: Path, text: str, name: str, url: str) -> None:
    found = one(root, text, WORD="hidden")
    assert (found.name, found.url, found.path, found.editable) == (name, url, None, False)


def test_paths_and_editable_folders(root: Path) -> None:
    (root / "libs" / "own").mkdir(parents=True)
    (root / "libs" / "own" / "pyproject.toml").write_text('[project]\nname = "own-lib"\n', encoding="utf-8")
    (root / "libs" / "old").mkdir()
    (root / "libs" / "old" / "setup.cfg").write_text("[metadata]\nname = old-lib\n", encoding="utf-8")
    (root / "w-1.0-py3-none-any.whl").write_bytes(b"")
    found = read(
        root,
        "-e libs/own[a]\n--editable=./libs/old ; sys_platform=='linux'\n./w-1.0-py3-none-any.whl\n"
        + (root / "w-1.0-py3-none-any.whl").as_uri(),
    )
    assert [(line.name, line.path and line.path.name, line.editable) for line in found.asked] == [
        ("own-lib", "own", True),
        ("old-lib", "old", True),
        ("w", "w-1.0-py3-none-any.whl", False),
        ("w", "w-1.0-py3-none-any.whl", False),
    ]
    assert found.asked[0].extras == ("a",)
    assert found.asked[1].marker == 'sys_platform == "linux"'


def test_hashes_on_continued_lines(root: Path) -> None:
    found = one(root, "# head\n\nfoo==1.0 \\\n    --hash=sha256:AA \\\n    --hash sha512:bb  # both\n")
    assert (found.specifier, found.hashes, found.place.line) == ("==1.0", ("sha256:aa", "sha512:bb"), 3)


def test_includes_and_constraints_are_followed_once_with_their_own_folders(root: Path) -> None:
    write(root, base__common="six\n-c ../limits.txt\n", limits="idna<4\n")
    found = read(root, "-r base/common.txt\n-rbase/common.txt\n--requirement=base/common.txt\n-c limits.txt\ntabulate\n")
    assert [(line.name, str(line.place), line.constraint) for line in found.asked] == [
        ("six", "base/common.txt:1", False),
        ("idna", "limits.txt:1", True),
        ("tabulate", "requirements.txt:5", False),
    ]
    assert [path.name for path in found.files] == ["requirements.txt", "common.txt", "limits.txt"]


def test_files_that_include_each_other(root: Path) -> None:
    write(root, b="six\n-r c.txt\n", c="-r requirements.txt\n")
    assert wrong(root, "numpy\n-r b.txt\n") == [
        "requirements.txt:2 -> b.txt:2 -> c.txt:1 -> requirements.txt: these files include each other in a circle"
    ]


def test_includes_without_an_end_and_lines_without_one(root: Path) -> None:
    for number in range(1, 1500):
        (root / f"deep{number}.txt").write_text(f"-r deep{number + 1}.txt\n")
    assert wrong(root, "-r deep1.txt\n" + "x" * 200_000 + "\n") == [
        "deep100.txt:1: deep101.txt is included over more than 100 other files",
        "requirements.txt:2: this line is longer than 100000 characters",
    ]


def test_everything_that_is_wrong_is_said_at_once(root: Path) -> None:
    lines = wrong(
        root,
        "numpy >== 1\n-r none.txt\n-r https://u:p@h/r.txt\n--frobnicate x\nfoo==${VERSION}\n-e ./nowhere\ngit+https://h/r.git\n"
        "foo --hash=nonsense\nfoo ; nonsense > 1\n-r\nfoo @ file:///nowhere/foo-1.0.tar.gz\n",
    )
    starts = [line.partition(": ")[0] for line in lines]
    # ${VERSION} that is not set leaves no requirement either.
    assert starts == [f"requirements.txt:{number}" for number in (1, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10, 11)]
    assert "none.txt" in lines[1]
    assert "u:p" not in "".join(lines)
    assert "VERSION is not set" in lines[4]


def test_variables(root: Path) -> None:
    assert one(root, "foo==${VERSION}", VERSION="1.5").specifier == "==1.5"


def test_options_have_no_place_in_a_list_of_dependencies(root: Path) -> None:
    found = read(
        root,
        "-i https://user:secret@h/simple\n--extra-index-url=https://h/x\n-f ./w\n--pre\n--prefer-binary\n--no-binary :all:\nfoo --config-settings a=b\n",
    )
    assert [(item.shown, item.place.line, item.kind, item.secret) for item in found.indexes] == [
        ("-i https://h/simple", 1, "default", True),
        ("--extra-index-url https://h/x", 2, "extra", False),
        ("-f ./w", 3, "flat", False),
    ]
    assert "user" not in repr(found)
    assert [(item.what, item.place.line, item.matters) for item in found.not_taken] == [
        ("--pre", 4, True),
        ("--prefer-binary", 5, False),
        ("--no-binary :all:", 6, True),
        ("--config-settings", 7, True),
    ]
    assert all(item.why for item in found.not_taken)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("é".encode("utf-8-sig"), "é"),
        ("é".encode("utf-16"), "é"),
        ("é".encode("utf-32"), "é"),
        (b"# -*- coding: latin-1 -*-\n\xe9", "# -*- coding: latin-1 -*-\né"),
        ("é".encode(), "é"),
    ],
)
def test_encodings(data: bytes, text: str) -> None:
    assert decoded(data) == text


def test_what_is_no_text(root: Path) -> None:
    (root / "requirements.txt").write_bytes(b"caf\xe9==1\n")
    with pytest.raises(RequirementsFileError) as caught:
        requirement_files([root / "requirements.txt"], root, {})
    assert caught.value.details.startswith("requirements.txt: it is not UTF-8 text")


def test_logical_lines() -> None:
    text = "a \\\n# not a part\nb\r\nc \\\n  d#e \\\n f # g\n\\\n\nh\\"
    assert list(logical_lines(text)) == [(1, "a"), (3, "b"), (4, "c   d#e  f"), (9, "h")]


def test_files_of_a_folder(root: Path) -> None:
    for place in (
        "requirements.txt",
        "a/requirements-dev.txt",
        "a/dev-requirements.in",
        "a/requirements/base.txt",
        "a/notes.txt",
        "a/constraints.txt",
        "venv/lib/requirements.txt",
        "a/node_modules/requirements.txt",
        ".hidden/requirements.txt",
    ):
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="utf-8")
    found = [path.relative_to(root).as_posix() for path in files_in(root)]
    assert found == ["requirements.txt", "a/dev-requirements.in", "a/requirements-dev.txt", "a/requirements/base.txt"]


def test_what_a_tool_made_from_an_in_file_holds_the_versions(root: Path) -> None:
    (root / "requirements.in").write_text("flask\n", encoding="utf-8")
    write(root, requirements="flask==3.0.0\nwerkzeug==3.0.1\n")
    found = requirement_files([root], root, {})
    assert [(line.name, line.specifier, line.constraint) for line in found.asked] == [
        ("flask", "", False),
        ("flask", "==3.0.0", True),
        ("werkzeug", "==3.0.1", True),
    ]


def test_nothing_to_read(root: Path) -> None:
    with pytest.raises(RequirementsFileError, match="there is no requirements file"):
        requirement_files([root], root, {})
    with pytest.raises(RequirementsFileError) as caught:
        requirement_files([root / "none.txt"], root, {})
    assert "there is no such file or folder" in caught.value.details
