"""What can be said of the example's wheels without running them: all its targets, the ones that nothing here runs above all."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import auditwheel
import lief
import pytest
from statics import TAGS, check, module_of, suffix

from pypackpack.backend.images import read_images
from pypackpack.middleware.verify import system_libraries, verify
from tests.builds import EXAMPLE, PYTHON, build, copy_project, members, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PACKAGES = ("tidegauge", "tidewatch")
PY = "{}{}".format(*PYTHON)


WHOLE = ("linux_x86_64", "linux_arm64")
"""Targets that other tests make the same modules for; of the others a sample is compiled, since nothing runs it here."""

MACHINES = {
    "linux_x86_64": ["x86_64"],
    "linux_arm64": ["aarch64"],
    "linux_musl_x86_64": ["x86_64"],
    "linux_musl_arm64": ["aarch64"],
    "windows_amd64": ["x86_64"],
    "windows_arm64": ["aarch64"],
    "macos_arm64": ["arm64"],
    "macos_x86_64": ["x86_64"],
    "macos_universal2": ["x86_64", "arm64"],
    "emscripten_wasm32": ["wasm32"],
}
"""The processors of each target's modules, as `pypackpack.model.image.Image` names them."""

SAMPLES = {
    "linux_musl_x86_64": ("codec", "harmonics", "units", "alarms", "cli"),
    "linux_musl_arm64": ("codec", "harmonics", "units", "alarms", "cli"),
    "windows": ("places", "reading", "series", "collect", "feed"),
    "macos": ("archive", "catalogue", "harmonics", "report", "settings"),
    "emscripten": ("codec", "places", "errors", "collect", "feed"),
}
"""Modules that are compiled for those, by target or family, besides the packages themselves: each module for one format at least."""


def sample(target: str) -> set[str]:
    """Return the file names, without suffix, of what is compiled for a target that is not in `WHOLE`."""
    return {"__init__", *SAMPLES.get(target, SAMPLES.get(target.partition("_")[0], ()))}


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a copy of the example, with one target more, whose parts are among the others."""
    root = copy_project(EXAMPLE, tmp_path_factory.mktemp("static") / "example")
    for name in PACKAGES:
        settings = root / name / "pyproject.toml"
        text = settings.read_text().replace('  "macos_x86_64",\n', '  "macos_x86_64",\n  "macos_universal2",\n')
        there = {file.stem for file in (root / name / "src" / "main").glob("*.py")}
        for target, modules in SAMPLES.items():
            include = json.dumps(["__init__", *(module for module in modules if module in there)])
            text += f"\n[tool.pypackpack.build.target.{target}]\nnative = {{ include = {include} }}\n"
        settings.write_text(text)
    return root


@pytest.fixture(scope="session")
def release(project: Path) -> Mapping[str, Mapping[str, Path]]:
    """The wheels of both packages for every target, by target and package."""
    words = ("single", "--type", "release", "--level", "native", "--target", *TAGS)
    built = {name: build(project, name, *words) for name in PACKAGES}
    return {target: {name: found.wheel(target) for name, found in built.items()} for target in TAGS}


def binaries(wheels: Mapping[str, Path]) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every extension module of a target's wheels."""
    for wheel in wheels.values():
        for name, data in members(wheel).items():
            if name.endswith((".so", ".pyd")):
                yield name, data


@pytest.mark.parametrize("target", TAGS)
def test_names(target: str, release: Mapping[str, Mapping[str, Path]]) -> None:
    for name, wheel in release[target].items():
        assert wheel.name.startswith(f"{name}-1.2.0-cp{PY}-cp{PY}-")
        assert TAGS[target] in wheel.stem
        assert ("manylinux2014" in wheel.name) is (target in {"linux_x86_64", "linux_arm64"})
    found = list(binaries(release[target]))
    assert len(found) == (17 if target in WHOLE else 7)
    assert [name for name, _ in found if not name.endswith(suffix(target, PYTHON))] == []


def test_every_module_is_read_in_some_format_that_nothing_runs(project: Path) -> None:
    there = {file.stem for name in PACKAGES for file in (project / name / "src" / "main").glob("*.py")} - {"__main__"}
    assert set().union(*map(sample, SAMPLES)) == there


@pytest.mark.parametrize("target", TAGS)
def test_nothing_that_does_not_belong(target: str, release: Mapping[str, Mapping[str, Path]], project: Path) -> None:
    for package, wheel in release[target].items():
        files = members(wheel)
        sources = [name for name in files if name.endswith((".py", ".c", ".pyx", ".h", ".o", ".pdb", ".lib", ".def"))]
        assert sources == []
        assert [name for name in files if "test" in name.split("/")] == []
        left = {file.stem for file in (project / package / "src" / "main").glob("*.py")} - sample(target)
        bytecode = {name for name in files if name.endswith(".pyc")}
        assert bytecode == {f"{package}/{name}.pyc" for name in left if name == "__main__" or target not in WHOLE}


@pytest.mark.parametrize("target", TAGS)
def test_no_path_of_this_machine(target: str, release: Mapping[str, Mapping[str, Path]], project: Path) -> None:
    homes = {str(Path.home()), str(project), str(Path(sys.prefix)), str(Path(sys.base_prefix)), "/tmp/", "pypackpack"}  # noqa: S108 - the paths to look for
    words = [home.encode() for home in homes] + [home.encode("utf-16-le") for home in homes]
    for name, data in binaries(release[target]):
        assert [word for word in words if word in data] == [], name
        assert re.findall(rb"/(?:home|Users|work|builds)/[\w.-]+", data) == [], name


@pytest.mark.parametrize("target", TAGS)
def test_each_module_is_of_its_platform(target: str, release: Mapping[str, Mapping[str, Path]]) -> None:
    for name, data in binaries(release[target]):
        check(target, PYTHON, name, data)


@pytest.mark.parametrize("target", [target for target in TAGS if target.startswith("linux")])
@pytest.mark.parametrize("name", PACKAGES)
def test_auditwheel(name: str, target: str, release: Mapping[str, Mapping[str, Path]], tmp_path: Path) -> None:
    done = run([sys.executable, "-m", "auditwheel", "show", release[target][name]], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    words = " ".join(done.stdout.split())
    assert f'is consistent with the following platform tag: "{TAGS[target]}"' in words


def test_twine_and_check_wheel_contents(release: Mapping[str, Mapping[str, Path]], tmp_path: Path) -> None:
    wheels = [wheel for each in release.values() for wheel in each.values()]
    done = run([sys.executable, "-m", "twine", "--no-color", "check", "--strict", *wheels], cwd=tmp_path, env={"COLUMNS": "1000"})
    assert done.returncode == 0, done.stdout + done.stderr
    # W001 and W010 are expected where bytecode is on purpose: __main__ goes along as bytecode.
    done = run([sys.executable, "-m", "check_wheel_contents", "--no-config", "--ignore", "W001,W010", *wheels], cwd=tmp_path)
    assert done.returncode == 0, json.dumps([done.stdout, done.stderr])


def test_verify_and_the_audit_find_nothing_and_read_what_lief_reads(release: Mapping[str, Mapping[str, Path]]) -> None:
    for target, wheels in release.items():
        for wheel in wheels.values():
            found = verify(wheel, audit=True)
            assert found.problems == (), target
            assert [check.name for check in found.checks][-2:] == ["modules", "libraries"]
        for name, data in binaries(wheels):
            images = read_images(data)
            assert [image.machine for image in images] == MACHINES[target], name
            if target.startswith(("linux", "windows")):
                other = lief.parse(list(data))
                assert isinstance(other, (lief.ELF.Binary, lief.PE.Binary))
                assert set(images[0].needs) == {
                    str(getattr(each, "name", each)) for each in (getattr(other, "imports", None) or other.libraries)
                }
                assert len(images[0].exports) == len(
                    {symbol.name for symbol in other.exported_symbols} if target.startswith("linux") else other.exported_functions
                )
            for image in images:
                assert f"PyInit_{module_of(name)}" in image.exports


def test_a_wheel_under_the_tag_of_another_target_is_found_out(release: Mapping[str, Mapping[str, Path]], tmp_path: Path) -> None:
    wheels = {target: found["tidegauge"] for target, found in release.items()}
    for target, wheel in wheels.items():
        other = wheels["linux_x86_64" if target in ("linux_arm64", "linux_musl_arm64") else "linux_arm64"]
        lie = tmp_path / other.name
        lie.write_bytes(wheel.read_bytes())
        assert any("and the wheel's tag says" in problem for problem in verify(lie).problems), (target, other.name)
        lie.unlink()
    old = tmp_path / wheels["linux_x86_64"].name.replace("manylinux_2_17", "manylinux_2_5").replace("manylinux2014", "manylinux1")
    old.write_bytes(wheels["linux_x86_64"].read_bytes())
    assert any("needs glibc 2.1" in problem and "the tag says 2.5" in problem for problem in verify(old).problems)


def test_what_every_system_has_is_what_auditwheel_says() -> None:
    policies = json.loads(Path(str(auditwheel.__file__)).with_name("policy").joinpath("manylinux-policy.json").read_text())
    for policy in policies:
        version = tuple(int(part) for part in policy["name"].split("_")[1:])
        if not version or "x86_64" not in policy["symbol_versions"]:
            continue
        assert set(policy["lib_whitelist"]) <= system_libraries.MANYLINUX
        known = system_libraries.SYMBOLS[max(each for each in system_libraries.SYMBOLS if each <= version)]
        for arch in ("x86_64", "aarch64"):
            for word, most in known.items():
                there = [
                    tuple(map(int, each.split(".")))
                    for each in policy["symbol_versions"].get(arch, {}).get(word, ())
                    if each[0].isdigit()
                ]
                assert not there or max(there) >= most, (policy["name"], arch, word)
