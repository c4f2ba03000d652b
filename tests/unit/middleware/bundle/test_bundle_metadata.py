"""Core metadata from pyproject.toml."""

from __future__ import annotations

import configparser
import warnings
from typing import TYPE_CHECKING

import pytest
from packaging.metadata import Metadata

from pypackpack.middleware.bundle.metadata import CoreFiles, core_metadata
from pypackpack.middleware.project.paths import folder_key
from pypackpack.middleware.target.table import find
from pypackpack.model.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Make

FULL = """
description = "Does things."
readme = "README.md"
license = "mit or apache-2.0"
license-files = ["LICEN*"]
requires-python = ">=3.10"
keywords = ["one", "two"]
authors = [{ name = "Zoë", email = "zoe@example.org" }, { name = "Bo" }]
classifiers = ["Programming Language :: Python :: 3"]
dependencies = ["click>=8; sys_platform == 'win32'", "tomlkit"]

[project.optional-dependencies]
Fast_Path = ["orjson>=3"]

[project.urls]
Home = "https://example.org"

[project.scripts]
demo = "demo_app.cli:main"
a-demo = "demo_app.cli:app.run"

[project.gui-scripts]
demo-window = "demo_app.window:main"

[project.entry-points."demo.plugins"]
b = "demo_app.plugins:B"
a = "demo_app.plugins"
"""


def parsed(files: CoreFiles) -> Metadata:
    return Metadata.from_email(files.metadata.encode(), validate=True)


def full(make: Make) -> CoreFiles:
    package, project = make(FULL)
    (package.root / "README.md").write_bytes("# Überschrift\r\n\r\nText\x0cmore.\r\n".encode())
    (package.root / "LICENSE").write_text("free\n")
    return core_metadata(package, project)


def test_every_field_arrives(make: Make) -> None:
    files = full(make)
    metadata = parsed(files)
    assert (files.name, files.version) == ("Demo.App", "1.0rc1")
    assert files.dist_info == "demo_app-1.0rc1.dist-info"
    assert metadata.metadata_version == "2.4"
    assert metadata.summary == "Does things."
    assert metadata.license_expression == "MIT OR Apache-2.0"
    assert metadata.license_files == ["LICENSE"]
    assert str(metadata.requires_python) == ">=3.10"
    assert metadata.keywords == ["one", "two"]
    assert metadata.author == "Bo"
    assert metadata.author_email == "Zoë <zoe@example.org>"
    assert metadata.classifiers == ["Programming Language :: Python :: 3"]
    assert metadata.project_urls == {"Home": "https://example.org"}
    assert metadata.provides_extra == ["fast-path"]
    assert list(map(str, metadata.requires_dist or [])) == [
        'click>=8; sys_platform == "win32"',
        "tomlkit",
        'orjson>=3; extra == "fast-path"',
    ]
    assert metadata.description_content_type == "text/markdown"
    assert metadata.description == "# Überschrift\n\nText\x0cmore.\n"
    assert files.licenses == (("LICENSE", b"free\n"),)


def test_entry_points_are_sorted_and_parse(make: Make) -> None:
    text = full(make).entry_points
    assert text == (
        "[console_scripts]\na-demo = demo_app.cli:app.run\ndemo = demo_app.cli:main\n\n"
        "[demo.plugins]\na = demo_app.plugins\nb = demo_app.plugins:B\n\n"
        "[gui_scripts]\ndemo-window = demo_app.window:main\n"
    )
    reader = configparser.ConfigParser(delimiters=("=",))
    reader.read_string(text)
    assert reader["console_scripts"]["demo"] == "demo_app.cli:main"


def test_the_least_that_is_needed(make: Make) -> None:
    package, project = make()
    files = core_metadata(package, project)
    assert files.metadata == "Metadata-Version: 2.4\nName: Demo.App\nVersion: 1.0rc1\n"
    assert (files.entry_points, files.licenses) == ("", ())
    assert dict(files.files()) == {"METADATA": files.metadata.encode()}


def test_names_to_import_make_it_the_newest_form(make: Make) -> None:
    package, project = make('import-names = ["demo_app", "demo_app_tests; private"]\n')
    text = core_metadata(package, project).metadata
    assert text.startswith("Metadata-Version: 2.5\n")
    assert "Import-Name: demo_app\nImport-Name: demo_app_tests; private\n" in text


@pytest.mark.parametrize(
    ("readme", "kind"),
    [
        ('readme = "READ.me.RST"', "text/x-rst"),
        ('readme = "notes.txt"', "text/plain"),
        ('readme = "../README.md"', "text/markdown"),
        ('readme = { file = "notes.txt", content-type = "text/markdown; charset=UTF-8" }', "text/markdown"),
        ('readme = { text = "Hello.", content-type = "text/x-rst" }', "text/x-rst"),
    ],
)
def test_readmes(make: Make, readme: str, kind: str) -> None:
    package, project = make(readme)
    for name in ("READ.me.RST", "notes.txt", "../README.md"):
        (package.root / name).write_text("Hello.")
    metadata = parsed(core_metadata(package, project))
    assert metadata.description == "Hello."
    assert str(metadata.description_content_type).partition(";")[0] == kind


def test_the_old_form_of_a_licence_is_taken_without_a_path_of_this_machine(make: Make, tmp_path: Path) -> None:
    package, project = make('license = { file = "LICENSE" }')
    (package.root / "LICENSE").write_text("line one\nline two\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        files = core_metadata(package, project)
    assert "line two" in (parsed(files).license or "")
    assert files.licenses == (("LICENSE", b"line one\nline two\n"),)
    assert str(tmp_path) not in files.metadata


class TestRequirements:
    """What becomes of requirements."""

    def test_packages_of_the_project_are_pinned_whatever_form_they_were_written_in(self, make: Make) -> None:
        package, project = make(
            'dependencies = ["core.lib[fast]>=1; os_name == \'nt\'", "core-lib @ git+https://example.org/x@1", "six"]\n'
            'optional-dependencies = { all = ["core_lib", "Demo-App[fast]"] }'
        )
        assert list(map(str, parsed(core_metadata(package, project)).requires_dist or [])) == [
            'Core_Lib[fast]==1.2.0; os_name == "nt"',
            "Core_Lib==1.2.0",
            "six",
            'Core_Lib==1.2.0; extra == "all"',
            'Demo-App[fast]; extra == "all"',
        ]

    def test_a_local_dependency_that_no_line_names_is_pinned_too(self, make: Make) -> None:
        package, project = make('dependencies = ["six"]', local_dependencies=("Core_Lib",))
        assert list(map(str, parsed(core_metadata(package, project)).requires_dist or [])) == ["six", "Core_Lib==1.2.0"]

    def test_a_relative_path_stays_in_no_metadata(self, make: Make) -> None:
        package, project = make('dependencies = ["thing[x] @ ../libs/thing ; os_name == \'nt\'", "six"]')
        with pytest.raises(SettingsError, match=r"project\.dependencies\[0\]: thing comes from \.\./libs/thing"):
            core_metadata(package, project)
        # Beside what it requires the name is enough.
        beside = parsed(core_metadata(package, project, installed=True)).requires_dist
        assert list(map(str, beside or [])) == ['thing[x]; os_name == "nt"', "six"]
        url = "git+https://example.org/x@1#subdirectory=libs/thing"
        named = parsed(core_metadata(package, project, references={folder_key(package.root, "../libs/thing"): url})).requires_dist
        assert list(map(str, named or [])) == [f'thing[x] @ {url} ; os_name == "nt"', "six"]

    def test_what_no_marker_can_say_stands_in_that_targets_wheel_only(self, make: Make) -> None:
        package, project = make(
            'dependencies = ["six"]',
            target_dependencies={"linux_musl_x86_64": ("muslonly>=1", "six"), "windows_amd64": ("winonly",)},
        )
        musl = parsed(core_metadata(package, project, find("linux_musl_x86_64"))).requires_dist
        none = parsed(core_metadata(package, project)).requires_dist
        assert list(map(str, musl or [])) == ["six", "muslonly>=1"]
        assert list(map(str, none or [])) == ["six"]

    def test_a_requirement_that_excludes_the_package_of_the_project_is_an_error(self, make: Make) -> None:
        package, project = make('dependencies = ["six", "core-lib>=2"]')
        with pytest.raises(SettingsError, match=r"project\.dependencies\[1\]: core-lib>=2 does not take Core_Lib 1\.2\.0"):
            core_metadata(package, project)

    def test_a_prerelease_of_the_project_is_taken(self, make: Make) -> None:
        package, project = make('dependencies = ["core-lib>=1"]', core="2.0.dev1")
        assert "Requires-Dist: Core_Lib==2.0.dev1\n" in core_metadata(package, project).metadata


@pytest.mark.parametrize(
    ("text", "key", "why"),
    [
        ('dynamic = ["classifiers"]', "project.dynamic", "classifiers cannot be dynamic"),
        ('readme = "README.md"', "project.readme", "README.md is not there"),
        ('readme = "../../README.md"', "project.readme", "outside of the project"),
        ('readme = "latin.md"', "project.readme", "not UTF-8"),
        ('readme = "pyproject.toml"', "project.readme", ".md, .rst or .txt"),
        ('readme = { text = "x", content-type = "text/html" }', "project.readme.content-type", "none of text/markdown"),
        ('readme = { text = "x" }', "project.readme", "content-type"),
        ('license = "My own"', "project.license", "no SPDX expression"),
        ('license = { file = "/etc/hosts" }', "project.license.file", "outside of the project"),
        ('license = { text = "x" }\nlicense-files = []', "project.license-files", "old form"),
        ('license-files = ["nothing*"]', "project.license-files[0]", "matches no file"),
        ('description = "a\\nb"', "project.description", "more than one line"),
        ('description = "a\\u001bb"', "project", "control character"),
        ('requires-python = "3.x"', "project.requires-python", "invalid"),
        ('dependencies = ["a b"]', "project.dependencies[0]", "invalid PEP 508"),
        ('scripts = { run = "demo_app.cli" }', "project.scripts.run", "module:function"),
        ('scripts = { "a b" = "demo_app:main" }', "project.scripts.a b", "letters, digits"),
        ('scripts = { run = "a:b" }\ngui-scripts = { Run = "a:b" }', "project.gui-scripts.Run", "project.scripts.run"),
        ('entry-points = { console_scripts = { a = "b:c" } }', "project.entry-points.console_scripts", "project.scripts"),
        ('entry-points = { plug = { a = "not an object" } }', "project.entry-points.plug.a", "module:object"),
        ('entry-points = { plug = { "a=b" = "b:c" } }', "project.entry-points.plug.a=b", "name"),
        ("[project.optional-dependencies]\n'not so' = []", "project.optional-dependencies.not so", "extra"),
        ('urls = { "a name that is far longer than thirty-two letters" = "https://x.org" }', "project.urls", "32"),
        ('colour = "red"', "project.colour", "no such key"),
    ],
)
def test_wrong_metadata_is_said_with_file_and_key(make: Make, text: str, key: str, why: str) -> None:
    package, project = make(text)
    (package.root / "latin.md").write_bytes("Übung".encode("latin-1"))
    with pytest.raises(SettingsError) as caught:
        core_metadata(package, project)
    assert caught.value.message.startswith(f"{package.root / 'pyproject.toml'}: {key}: ")
    assert why in caught.value.message


def test_a_missing_version_is_said(make: Make) -> None:
    package, project = make(head='[project]\nname = "demo-app"\n')
    with pytest.raises(SettingsError, match=r"project\.version: is missing"):
        core_metadata(package, project)


def test_all_problems_come_at_once(make: Make) -> None:
    package, project = make(
        'dynamic = ["urls"]\nreadme = "gone.md"\nlicense = "x y"\nlicense-files = ["../LICENSE"]\nrequires-python = 3\n'
        'dependencies = ["a b"]\nscripts = { run = "" }',
        head='[project]\nname = "demo app"\nversion = "one"\n',
        target_dependencies={"linux_x86_64": ("c d",)},
    )
    with pytest.raises(SettingsError) as caught:
        core_metadata(package, project)
    lines = caught.value.details.splitlines()
    keys = {line.removeprefix(f"{package.root / 'pyproject.toml'}: ").partition(":")[0] for line in lines}
    assert keys == {
        "project.dynamic",
        "project.name",
        "project.version",
        "project.readme",
        "project.license",
        "project.license-files[0]",
        "project.requires-python",
        "project.dependencies[0]",
        "project.scripts.run",
    }
    assert f"{len(keys)} problems" in caught.value.message


def test_target_dependencies_are_checked(make: Make) -> None:
    package, project = make(target_dependencies={"linux_x86_64": ("six", "c d")})
    with pytest.raises(
        SettingsError, match=r"tool\.pypackpack\.target\.linux_x86_64\.dependencies\[1\]: 'c d' is no requirement"
    ):
        core_metadata(package, project, find("linux_x86_64"))


@pytest.mark.parametrize("head", ["[project\n", "[tool.x]\n", 'project = "x"\n'])
def test_a_file_that_has_no_metadata_is_refused(make: Make, head: str) -> None:
    package, project = make(head=head)
    with pytest.raises(SettingsError, match=r"pyproject\.toml"):
        core_metadata(package, project)
