from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pypackpack.middleware.package.order import in_order
from pypackpack.middleware.project.later import unbuilt
from pypackpack.middleware.project.read import current_package, find_project, load_project
from pypackpack.model.build import Bundle
from pypackpack.model.errors import NoProjectError, SettingsError
from pypackpack.model.project import BuildSettings, Minify, NativePattern
from tests.snapshot import snapshot

if TYPE_CHECKING:
    from pathlib import Path


def write(root: Path, packages: dict[str, str], head: str = "") -> Path:
    """Make a project of packages given as the text after their [project] table."""
    root.mkdir(parents=True, exist_ok=True)
    names = ", ".join(f'"{name}"' for name in packages)
    (root / "pyproject.toml").write_text(f"{head}\n[tool.pypackpack]\npackages = [{names}]\n", encoding="utf-8")
    for name, text in packages.items():
        (root / name / "src" / "main").mkdir(parents=True)
        content = f'[project]\nname = "{name}"\nversion = "1.0"\n{text}\n'
        (root / name / "pyproject.toml").write_text(content, encoding="utf-8")
    return root


def problems(root: Path) -> list[str]:
    before = snapshot(root)
    with pytest.raises(SettingsError) as caught:
        load_project(root)
    assert snapshot(root) == before
    return caught.value.details.splitlines()


@pytest.mark.parametrize("name", ["plain", "with space", "größe-проект"])
def test_a_project_is_found_from_anywhere_inside(tmp_path: Path, name: str) -> None:
    root = write(tmp_path / name, {"one": "[tool.pypackpack]", "two": ""}, '[project]\nname = "acme"\nversion = "1"')
    for start in (root, root / "one", root / "one" / "src" / "main", root / "two"):
        project = find_project(start)
        assert project.root == root.resolve()
        assert project.name == "acme"
        assert [package.name for package in project.packages] == ["one", "two"]
    here = current_package(project, root / "two" / "src")
    assert here is not None
    assert here.name == "two"
    assert current_package(project, root) is None
    assert current_package(project, tmp_path) is None


def test_no_project(tmp_path: Path) -> None:
    with pytest.raises(NoProjectError, match="no PyPackPack project") as caught:
        find_project(tmp_path)
    assert "pypackpack init" in caught.value.hint
    with pytest.raises(NoProjectError, match="there is no folder"):
        find_project(tmp_path / "nowhere")
    (tmp_path / "pyproject.toml").write_text("[tool.poetry]\n")
    with pytest.raises(NoProjectError) as caught:
        find_project(tmp_path)
    assert "--adopt" in caught.value.hint
    with pytest.raises(NoProjectError):
        load_project(tmp_path / "nowhere")


def test_a_package_whose_project_is_gone(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.pypackpack]\n")
    with pytest.raises(NoProjectError, match="without `packages`") as caught:
        find_project(tmp_path)
    assert "packages = []" in caught.value.hint


def test_broken_toml_is_one_error_with_file_line_and_column(tmp_path: Path) -> None:
    root = write(tmp_path, {"one": ""})
    path = root / "one" / "pyproject.toml"
    path.write_text('[project]\nname = "one"\nversion = 1.0.0\n')
    before = snapshot(root)
    for start in (root, root / "one"):
        with pytest.raises(SettingsError) as caught:
            find_project(start)
        assert f"{path}:3:14: not valid TOML" in caught.value.message
        assert caught.value.details == "version = 1.0.0\n             ^"
    assert snapshot(root) == before


def test_a_byte_order_mark_is_called_by_its_name(tmp_path: Path) -> None:
    root = write(tmp_path, {"one": ""})
    path = root / "one" / "pyproject.toml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    with pytest.raises(SettingsError, match="byte order mark") as caught:
        load_project(root)
    assert str(path) in caught.value.message


def test_a_wrong_package_is_counted_as_in_the_list(tmp_path: Path) -> None:
    root = write(tmp_path, {"one": ""})
    text = (root / "pyproject.toml").read_text()
    (root / "pyproject.toml").write_text(text.replace('"one"', '"one", "..", "gone"'))
    found = problems(root)
    assert any("packages[1]" in line for line in found)
    assert any("packages[2]: there is no gone/pyproject.toml" in line for line in found)


def test_every_problem_of_every_file_in_one_error(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "one": 'dependancies = []\n[tool.pypackpack]\ntargets = ["linux_x86_65"]\n[tool.pypackpack.build]\ncompiler = "x"',
            "two": "[tool.pypackpack]\npython = ['3.8']\n[tool.pypackpack.build.target.widnows]\nstrict = true",
        },
        '[project]\nname = "a b"',
    )
    (root / "two" / "pyproject.toml").write_text((root / "two" / "pyproject.toml").read_text().replace('"two"', '"three"'))
    text = (root / "pyproject.toml").read_text()
    (root / "pyproject.toml").write_text(text.replace('"two"', '"two", "gone", "Two", "one"') + "packges = 3\n")
    found = problems(root)
    assert [line.split(": ")[:2] for line in found] == [
        ["pyproject.toml", "project.name"],
        ["pyproject.toml", "tool.pypackpack.packges"],
        ["one/pyproject.toml", "project.dependancies"],
        ["one/pyproject.toml", "tool.pypackpack.build.compiler"],
        ["one/pyproject.toml", "tool.pypackpack.targets[0]"],
        ["two/pyproject.toml", "tool.pypackpack.python[0]"],
        ["two/pyproject.toml", "tool.pypackpack.build.target.widnows"],
        ["two/pyproject.toml", "project.name"],
        ["pyproject.toml", "tool.pypackpack.packages[2]"],
        ["pyproject.toml", "tool.pypackpack.packages[3]"],
        ["pyproject.toml", "tool.pypackpack.packages[4]"],
    ]
    assert "linux_x86_64" in found[4]
    assert "windows" in found[6]
    assert "there is no gone/pyproject.toml" in found[8]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('targets = ["linux_x86_64", "linux-x64"]', 'targets[1]: "linux-x64" is the same target as targets[0] (linux_x86_64)'),
        ('targets = ["host"]', 'targets[0]: expected the name of a target, found "host"'),
        ("[tool.pypackpack.build.target.windows-x64]\n[tool.pypackpack.build.target.windows_amd64]", "are the same target"),
        (
            "[tool.pypackpack.target.amiga]",
            'tool.pypackpack.target.amiga: expected the name of a target or a family, found "amiga"',
        ),
        ('targets = "linux"', "tool.pypackpack.targets: expected a list of strings"),
        ("targets = [3]", "tool.pypackpack.targets[0]: expected a string"),
        ("build = 3", "tool.pypackpack.build: expected a table"),
        ("target = []", "tool.pypackpack.target: expected a table"),
    ],
)
def test_wrong_targets(tmp_path: Path, text: str, problem: str) -> None:
    found = problems(write(tmp_path, {"one": f"[tool.pypackpack]\n{text}"}))
    assert len(found) == 1
    assert problem in found[0]


def test_settings_are_finished_per_target(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "one": """
[tool.pypackpack]
targets = ["linux", "linux_2_28_arm64", "windows-x64", "macosx_11_0_arm64"]
python = ["3.13", "3.11"]
[tool.pypackpack.build]
strict = true
dependencies = ["numpy"]
native.exclude = ["a/**"]
[tool.pypackpack.build.target.linux]
strict = false
native.include = ["b/**"]
[tool.pypackpack.build.target.linux_arm64]
abi = "abi3"
abi3.exclude = ["core/**"]
minify = true
unit = "package"
[tool.pypackpack.build.target.x86_64-pc-windows-msvc]
dependencies = "all"
[tool.pypackpack.bundle]
fat-layout = "separate"
""",
        },
    )
    package = load_project(root).packages[0]
    assert [target.name for target in package.targets] == ["linux_x86_64", "linux_2_28_arm64", "windows_amd64", "macos_arm64"]
    assert package.pythons == ((3, 13), (3, 11))
    linux = BuildSettings(dependencies=("numpy",), native=NativePattern(("b/**",), ("a/**",)))
    assert package.build == {
        "": BuildSettings(strict=True, dependencies=("numpy",), native=NativePattern(exclude=("a/**",))),
        "linux_x86_64": linux,
        "linux_2_28_arm64": BuildSettings(
            abi="abi3",
            abi3=NativePattern(exclude=("core/**",)),
            unit="package",
            minify=Minify(),
            dependencies=("numpy",),
            native=linux.native,
        ),
        "windows_amd64": BuildSettings(strict=True, native=NativePattern(exclude=("a/**",))),
        "macos_arm64": BuildSettings(strict=True, dependencies=("numpy",), native=NativePattern(exclude=("a/**",))),
    }
    assert (package.bundle.entry, package.bundle.fat_layout, package.bundle.binary_layout) == (None, "separate", "folder")
    assert unbuilt(package, package.targets, Bundle.SINGLE) == ()


def test_defaults_where_nothing_is_said(tmp_path: Path) -> None:
    package = load_project(write(tmp_path, {"My.Pkg": ""})).packages[0]
    assert package.import_name == "my_pkg"
    assert package.targets == ()
    assert package.pythons == ()
    assert package.build == {"": BuildSettings()}
    assert package.requires_python == ""


def test_dependencies_of_a_target(tmp_path: Path) -> None:
    text = (
        '[tool.pypackpack]\ntargets = ["linux_x86_64", "linux_musl_x86_64", "windows"]\n'
        '[tool.pypackpack.target.linux]\ndependencies = ["a"]\n[tool.pypackpack.target.linux_musl_x86_64]\ndependencies = ["b"]\n'
    )
    package = load_project(write(tmp_path, {"one": text})).packages[0]
    assert package.target_dependencies == {"linux_x86_64": ("a",), "linux_musl_x86_64": ("a", "b")}


def test_local_dependencies_and_their_order(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "app": 'dependencies = ["Core_Lib[x]>=1; sys_platform == \'linux\'", "numpy", "app[extra]"]',
            "util": "",
            "core.lib": 'dependencies = ["util @ git+https://example.org/x"]',
            "odd": '[tool.pypackpack]\ntargets = ["linux"]\n[tool.pypackpack.target.linux]\ndependencies = ["util"]',
        },
    )
    project = load_project(root)
    local = {package.name: package.local_dependencies for package in project.packages}
    assert local == {"app": ("core-lib",), "util": (), "core.lib": ("util",), "odd": ("util",)}
    assert [package.name for package in in_order(project, project.packages[:1])] == ["util", "core.lib", "app"]
    assert [package.name for package in in_order(project, project.packages)] == ["util", "core.lib", "app", "odd"]


def test_a_circle_of_packages_is_named(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {"a": 'dependencies = ["b"]', "b": 'dependencies = ["c"]', "c": 'dependencies = ["b"]', "d": ""},
    )
    project = load_project(root)
    assert [package.name for package in in_order(project, project.packages[3:])] == ["d"]
    with pytest.raises(SettingsError, match="in a circle: b → c → b"):
        in_order(project, project.packages[:1])


def test_a_change_is_seen_although_the_check_is_remembered(tmp_path: Path) -> None:
    root = write(tmp_path, {"one": "[tool.pypackpack.build]\nstrict = true\n[tool.pypackpack]\ntargets = ['linux']"})
    for _ in range(2):
        assert load_project(root).packages[0].build["linux_x86_64"].strict is True
    path = root / "one" / "pyproject.toml"
    path.write_text(path.read_text().replace("true", "'yes'"))
    for _ in range(2):
        assert len(problems(root)) == 1
    path.write_text(path.read_text().replace("'yes'", "false"))
    assert load_project(root).packages[0].build["linux_x86_64"].strict is False


def test_a_cache_that_cannot_be_written_is_no_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PYPACKPACK_CACHE_DIR", str(tmp_path / "file" / "below"))
    assert load_project(write(tmp_path / "project", {"one": ""})).packages[0].name == "one"
