from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest

from pypackpack.middleware.project import check, reference
from pypackpack.middleware.project.finish import finished_package
from pypackpack.middleware.project.later import LATER, LATER_KEYS
from pypackpack.middleware.project.settings import (
    BuildTable,
    BundleTable,
    LimitedTable,
    MinifyTable,
    MypycTable,
    NativeTable,
    PackageTable,
    json_schema,
)
from pypackpack.model.project import BuildSettings, BundleSettings, Minify, NativePattern

DOCS = Path(__file__).parents[4] / "docs"


def package(table: object, **project: object) -> dict[str, object]:
    return {"project": {"name": "mypkg", "version": "1.0", **project}, "tool": {"pypackpack": table}}


def test_the_committed_reference_is_the_generated_one() -> None:
    assert (DOCS / reference.PAGE).read_text(encoding="utf-8") == reference.settings_page()
    assert (DOCS / reference.SCHEMA).read_text(encoding="utf-8") == reference.schema_text()


def test_the_defaults_of_the_schema_are_those_of_the_finished_settings() -> None:
    build, native, limited, bundle = BuildTable(), NativeTable(), LimitedTable(), BundleTable()
    finished = BuildSettings()
    for field in fields(BuildSettings):
        if field.name not in {"native", "abi3", "mypyc", "dependencies", "extensions", "include_packages", "ship_sources", "minify"}:
            assert getattr(build, field.name) == getattr(finished, field.name)
    assert (build.extension, build.ship_sources) == ({}, [])
    assert (finished.extensions, finished.ship_sources) == ((), ())
    assert (build.minify, finished.minify) == (False, None)
    assert Minify(**MinifyTable().model_dump()) == Minify()
    assert build.dependencies == "all"
    assert finished.dependencies is None
    assert NativePattern(tuple(native.include), tuple(native.exclude)) == finished.native
    assert NativePattern(tuple(limited.include), tuple(limited.exclude)) == finished.abi3
    assert NativePattern(tuple(MypycTable().include), tuple(MypycTable().exclude)) == finished.mypyc
    assert BundleSettings(bundle.entry, bundle.fat_layout, bundle.binary_layout) == BundleSettings()


def test_every_setting_of_the_specification_is_accepted() -> None:
    table = {
        "targets": ["linux_x86_64", "windows_amd64"],
        "python": ["3.11", "3.13"],
        "build": {
            "compiler": "nuitka",
            "abi": "abi3",
            "abi3": {"exclude": ["core/fast"]},
            "mypyc": {"include": ["core/**"]},
            "unit": "package",
            "dependencies": ["numpy"],
            "native": {"include": ["**"], "exclude": ["plugins/**"]},
            "minify": True,
            "strict": True,
            "target": {"windows_amd64": {"compiler": "cython", "native": {"exclude": []}}},
        },
        "bundle": {"entry": "mypkg.app:main", "fat-layout": "separate", "binary-layout": "single-file"},
        "target": {"linux_musl_x86_64": {"dependencies": ["numpy>=2; python_version < '3.13'"]}},
    }
    assert check.package_problems(package(table)) == []
    assert check.root_problems({"tool": {"pypackpack": {"packages": ["mypkg"], "repository": "https://example.org/x"}}}) == []


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"tragets": []}, 'tool.pypackpack.tragets: unknown key; did you mean "targets"?'),
        ({"bundle": {"fat_layout": "single"}}, 'tool.pypackpack.bundle.fat_layout: unknown key; did you mean "fat-layout"?'),
        ({"minify": True}, 'tool.pypackpack.minify: unknown key here; did you mean "tool.pypackpack.build.minify"?'),
        ({"build": {"a.b c": 1}}, 'tool.pypackpack.build."a.b c": unknown key; expected abi, abi3, compiler'),
        ({"packages": []}, "tool.pypackpack.packages: this key belongs in the project's pyproject.toml"),
        ({"build": {"compiler": "cyton"}}, 'compiler: expected "cython", "nuitka" or "mypyc", found "cyton"; did you mean "cython"?'),
        ({"build": {"compiler": 3}}, 'tool.pypackpack.build.compiler: expected "cython", "nuitka" or "mypyc", found 3'),
        ({"build": {"toolchain": "gc"}}, 'found "gc"; did you mean "gcc"?'),
        ({"build": {"toolchain-program": "./gcc"}}, "what comes with a clone must not say which file runs"),
        ({"build": {"toolchain-program": "-v"}}, "the name of a program, without folders"),
        ({"build": {"strict": "true"}}, 'tool.pypackpack.build.strict: expected true or false, found "true"'),
        ({"build": {"minify": "all"}}, 'tool.pypackpack.build.minify: expected true or false or a table, found "all"'),
        ({"build": {"minify": {"docstring": True}}}, 'tool.pypackpack.build.minify.docstring: unknown key; did you mean "docstrings"?'),
        ({"build": {"minify": {"names": "all"}}}, 'tool.pypackpack.build.minify.names: expected "keep" or "locals", found "all"'),
        ({"build": {"minify": {"docstrings": 1}}}, "tool.pypackpack.build.minify.docstrings: expected true or false, found 1"),
        ({"build": {"strict": 1}}, "tool.pypackpack.build.strict: expected true or false, found 1"),
        (
            {"build": {"dependencies": "none"}},
            'dependencies: expected "all" or a list of strings such as ["numpy"], found "none"',
        ),
        (
            {"build": {"dependencies": ["a b"]}},
            'tool.pypackpack.build.dependencies[0]: expected a string such as "numpy", found "a b"',
        ),
        (
            {"build": {"target": {"windows": {"abi": "abi4"}}}},
            'build.target.windows.abi: expected "version" or "abi3", found "abi4"',
        ),
        ({"build": {"target": {"windows": {"target": {}}}}}, "tool.pypackpack.build.target.windows.target: unknown key"),
        ({"build": {"native": ["**"]}}, 'tool.pypackpack.build.native: expected a table, found ["**"]'),
        ({"build": {"native": {"exclude": ["../x"]}}}, "tool.pypackpack.build.native.exclude[0]: expected"),
        ({"python": "3.11"}, 'tool.pypackpack.python: expected a list of strings such as ["3.12"], found "3.11"'),
        ({"python": [3.11]}, 'tool.pypackpack.python[0]: expected a string such as "3.12", found 3.11'),
        ({"python": ["3.11.4"]}, "(two numbers, without the third)"),
        ({"python": ["3.9"]}, "(from 3.10 to 3.14)"),
        ({"python": ["3.15"]}, "(from 3.10 to 3.14)"),
        ({"bundle": {"entry": "my-pkg:main"}}, 'tool.pypackpack.bundle.entry: expected a string such as "mypkg.app:main"'),
        ({"target": {"linux": {"dependencies": ["numpy=>2"]}}}, "tool.pypackpack.target.linux.dependencies[0]: expected"),
        (7, "tool.pypackpack: expected a table, found 7"),
    ],
)
def test_a_wrong_key_is_said_with_what_was_expected(table: object, problem: str) -> None:
    found = check.package_problems(package(table))
    assert len(found) == 1
    assert problem in found[0]


@pytest.mark.parametrize(
    ("project", "problem"),
    [
        ({"name": "my pkg"}, 'project.name: expected a string such as "numpy", found "my pkg"'),
        ({"version": "one"}, 'project.version: expected a string such as "1.0.0", found "one" (Invalid version'),
        ({"version": 1.0}, 'project.version: expected a string such as "1.0.0", found 1.0'),
        ({"requires-python": "3.x"}, 'project.requires-python: expected a string such as ">=3.10", found "3.x"'),
        ({"dependencies": ["ok", "numpy=>1"]}, 'project.dependencies[1]: expected a string such as "numpy>=2", found "numpy=>1"'),
        ({"dependencies": {"numpy": "1"}}, "project.dependencies: expected a list of strings"),
        ({"dependancies": []}, 'project.dependancies: unknown key; did you mean "dependencies"?'),
        ({"optional-dependencies": {"x": ["a b"]}}, "project.optional-dependencies.x[0]: expected"),
        ({"dynamic": ["dependencies"]}, "project.dynamic: dependencies cannot be dynamic here"),
    ],
)
def test_a_wrong_key_of_project_is_said_too(project: dict[str, object], problem: str) -> None:
    found = check.package_problems(package({}, **project))
    assert len(found) == 1
    assert problem in found[0]


def test_a_package_without_a_version_or_without_project() -> None:
    assert check.package_problems({"project": {"name": "a"}}) == ['project.version: missing, expected a string such as "1.0.0"']
    computed = check.package_problems({"project": {"name": "a", "dynamic": ["version"]}})
    assert len(computed) == 1
    assert "PyPackPack does not compute it" in computed[0]
    assert check.package_problems({}) == ["project: the table is missing; a package needs its name and version there"]


def test_a_python_that_requires_python_excludes() -> None:
    found = check.package_problems(package({"python": ["3.10", "3.11", "3.12"]}, **{"requires-python": ">=3.11.4,<3.12"}))
    assert found == [
        'tool.pypackpack.python[0]: 3.10 is outside of project.requires-python = ">=3.11.4,<3.12"',
        'tool.pypackpack.python[2]: 3.12 is outside of project.requires-python = ">=3.11.4,<3.12"',
    ]


def test_everything_is_said_at_once() -> None:
    table = {"build": {"compiler": "x", "foo": 1, "target": {"windows": {"strict": 3}}}, "python": ["3"], "bundle": 5}
    found = check.package_problems(package(table, dependencies=["x y"], version="?"))
    assert [line.partition(":")[0] for line in found] == [
        "project.version",
        "project.dependencies[0]",
        "tool.pypackpack.python[0]",
        "tool.pypackpack.build.compiler",
        "tool.pypackpack.build.target.windows.strict",
        "tool.pypackpack.build.foo",
        "tool.pypackpack.bundle",
    ]


def test_a_projects_own_table() -> None:
    assert check.root_problems({"tool": {"pypackpack": {}}}) == [
        'tool.pypackpack.packages: missing, expected a list of strings such as ["mypkg"]'
    ]
    found = check.root_problems({"tool": {"pypackpack": {"packages": ["../x"], "targets": []}}})
    assert len(found) == 2
    assert "tool.pypackpack.packages[0]: expected" in found[0]
    assert found[1] == "tool.pypackpack.targets: this key belongs in a package's pyproject.toml"


def test_the_json_schema_has_every_key_with_its_meaning_and_no_null() -> None:
    schema = json_schema()
    assert '"null"' not in json.dumps(schema)
    assert len(schema["$defs"]) == 15
    for name, table in schema["$defs"].items():
        assert table["additionalProperties"] is False, name
        for key, value in table["properties"].items():
            assert value["description"].endswith("."), (name, key)


def test_what_is_not_built_yet_is_a_setting() -> None:
    for key in (*LATER, *LATER_KEYS):
        first, _, second = key.partition(".")
        table = PackageTable.model_fields[first].annotation
        assert second.replace("-", "_") in table.model_fields


def test_a_program_belongs_to_the_toolchain_that_the_same_table_names(tmp_path: Path) -> None:
    build = {
        "toolchain": "gcc",
        "toolchain-program": "gcc-13",
        "target": {"linux_arm64": {"toolchain": "clang"}, "linux_armv7": {"toolchain-program": "arm-linux-gnueabihf-gcc"}},
    }
    names = ["linux_x86_64", "linux_arm64", "linux_armv7"]
    made = finished_package(tmp_path, package({"targets": names, "build": build}), ())
    found = [made.settings(target) for target in made.targets]
    assert [(each.toolchain, each.toolchain_program) for each in found] == [
        ("gcc", "gcc-13"),
        ("clang", None),
        ("gcc", "arm-linux-gnueabihf-gcc"),
    ]
