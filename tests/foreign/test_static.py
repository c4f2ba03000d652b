"""What can be said of the example's wheels without running them: all its targets, the ones that nothing here runs above all."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from statics import TAGS, check, suffix

from tests.builds import EXAMPLE, PYTHON, Built, build, copy_project, members, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PACKAGES = ("tidegauge", "tidewatch")
PY = "{}{}".format(*PYTHON)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, and one target more, whose parts are among the others."""
    root = copy_project(EXAMPLE, tmp_path_factory.mktemp("static") / "usage-example")
    for name in PACKAGES:
        settings = root / name / "pyproject.toml"
        settings.write_text(settings.read_text().replace('  "macos_x86_64",\n', '  "macos_x86_64",\n  "macos_universal2",\n'))
    return root


@pytest.fixture(scope="session")
def release(project: Path) -> Mapping[str, Built]:
    """Both packages for every target."""
    return {name: build(project, name, "single", "--type", "release", "--level", "native") for name in PACKAGES}


def binaries(builds: Mapping[str, Built], target: str) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every extension module of a target."""
    for each in builds.values():
        for name, data in members(each.wheel(target)).items():
            if name.endswith((".so", ".pyd")):
                yield name, data


@pytest.mark.parametrize("target", TAGS)
def test_names(target: str, release: Mapping[str, Built]) -> None:
    for name, built in release.items():
        wheel = built.wheel(target)
        assert wheel.name.startswith(f"{name}-1.2.0-cp{PY}-cp{PY}-")
        assert TAGS[target] in wheel.stem
        assert ("manylinux2014" in wheel.name) is (target in {"linux_x86_64", "linux_arm64"})
    found = list(binaries(release, target))
    assert len(found) == 17
    assert [name for name, _ in found if not name.endswith(suffix(target, PYTHON))] == []


@pytest.mark.parametrize("target", TAGS)
def test_nothing_that_does_not_belong(target: str, release: Mapping[str, Built]) -> None:
    for built in release.values():
        files = members(built.wheel(target))
        sources = [name for name in files if name.endswith((".py", ".c", ".pyx", ".h", ".o", ".pdb", ".lib", ".def"))]
        assert sources == []
        assert [name for name in files if "test" in name.split("/")] == []
        assert [name for name in files if name.endswith(".pyc")] in ([], ["tidewatch/__main__.pyc"])


@pytest.mark.parametrize("target", TAGS)
def test_no_path_of_this_machine(target: str, release: Mapping[str, Built], project: Path) -> None:
    homes = {str(Path.home()), str(project), str(Path(sys.prefix)), str(Path(sys.base_prefix)), "/tmp/", "pypackpack"}  # noqa: S108 - the paths to look for
    words = [home.encode() for home in homes] + [home.encode("utf-16-le") for home in homes]
    for name, data in binaries(release, target):
        assert [word for word in words if word in data] == [], name
        assert re.findall(rb"/(?:home|Users|work|builds)/[\w.-]+", data) == [], name


@pytest.mark.parametrize("target", TAGS)
def test_each_module_is_of_its_platform(target: str, release: Mapping[str, Built]) -> None:
    for name, data in binaries(release, target):
        check(target, PYTHON, name, data)


@pytest.mark.parametrize("target", [target for target in TAGS if target.startswith("linux")])
@pytest.mark.parametrize("name", PACKAGES)
def test_auditwheel(name: str, target: str, release: Mapping[str, Built], tmp_path: Path) -> None:
    done = run([sys.executable, "-m", "auditwheel", "show", release[name].wheel(target)], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    words = " ".join(done.stdout.split())
    assert f'is consistent with the following platform tag: "{TAGS[target]}"' in words


@pytest.mark.parametrize("target", TAGS)
def test_twine_and_check_wheel_contents(target: str, release: Mapping[str, Built], tmp_path: Path) -> None:
    wheels = [built.wheel(target) for built in release.values()]
    done = run([sys.executable, "-m", "twine", "--no-color", "check", "--strict", *wheels], cwd=tmp_path, env={"COLUMNS": "1000"})
    assert done.returncode == 0, done.stdout + done.stderr
    # W001 and W010 are expected where bytecode is on purpose: __main__ goes along as bytecode.
    done = run([sys.executable, "-m", "check_wheel_contents", "--no-config", "--ignore", "W001,W010", *wheels], cwd=tmp_path)
    assert done.returncode == 0, json.dumps([done.stdout, done.stderr])
