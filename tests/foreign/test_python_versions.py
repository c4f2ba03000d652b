"""Every Python that packages are built for: natively, several in one command, and each wheel run on that very Python."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from packaging.utils import parse_wheel_filename
from statics import TAGS, check, suffix
from uv import find_uv_bin

from pypackpack.backend.tools.python import inspect_interpreter
from pypackpack.middleware.python import choose
from pypackpack.model.interpreter import NEWEST, OLDEST
from tests import behaviours
from tests.builds import PACKAGES, PYTHON, ROOT, Built, build, copy_project, members, native_modules, run, stage, unpack
from tests.snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conftest import PythonOf

Series = tuple[int, int]

HOST = "linux_x86_64"
PROVIDED: tuple[Series, ...] = (OLDEST, (3, 13), NEWEST)
"""Those that provide.py makes for this machine; of the others the tests take what is here."""

WASM = "emscripten_wasm32"
FOREIGN = (("windows_amd64", OLDEST), ("windows_amd64", (3, 13)), (WASM, (3, 13)), (WASM, NEWEST))
MODULES = {"eras", "eras.flow", "eras.records"}


def text(series: Series) -> str:
    return "{}.{}".format(*series)


@dataclass(frozen=True)
class Here:
    """The Pythons of this machine by X.Y, and the environment in which pypackpack finds those that were provided."""

    programs: Mapping[Series, Path]
    environment: Mapping[str, str]


def of_the_machine(series: Series) -> Path | None:
    """Return a Python X.Y that this machine has by itself, with headers; the one that runs the tests is one."""
    if series == PYTHON:
        return Path(sys.executable)
    found = (each for each in choose.installed(text(series)) if each.has_headers and not each.free_threaded)
    return next((each.executable for each in found if each.implementation == "cpython"), None)


@pytest.fixture(scope="session")
def here(foreign_python: PythonOf) -> Here:
    programs = {series: Path(foreign_python(HOST, series).command[0]) for series in PROVIDED}
    folders = [str(program.parent) for program in programs.values()]
    for minor in range(OLDEST[1], NEWEST[1] + 1):
        series = (OLDEST[0], minor)
        if series not in programs and (program := of_the_machine(series)):
            programs[series] = program
    return Here(programs, {"PATH": os.pathsep.join([*folders, os.environ["PATH"]])})


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(PACKAGES / "eras", tmp_path_factory.mktemp("pythons") / "eras")


@pytest.fixture(scope="session")
def built(project: Path, here: Here) -> Built:
    """The package for three Pythons, for this machine and for Windows, in one command."""
    options = ("single", "--type", "debug", "--level", "native", "--target", HOST, "windows_amd64")
    return build(project, "eras", *options, "--python", *map(text, PROVIDED), env=here.environment)


@pytest.fixture(scope="session")
def others(project: Path, here: Here) -> Built:
    """The package for the other Pythons that are here, for this machine."""
    pythons = [text(series) for series in sorted(here.programs) if series not in PROVIDED]
    options = ("single", "--type", "debug", "--level", "native", "--target", HOST)
    return build(project, "eras", *options, "--python", *(pythons or [text(PYTHON)]), env=here.environment)


@pytest.fixture(scope="session")
def by_nuitka(project: Path, here: Here, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The package for this machine by Nuitka, whose C is another one for each Python, for the oldest and the newest."""
    mine = copy_project(project, tmp_path_factory.mktemp("nuitka") / "eras")
    settings = mine / "eras" / "pyproject.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + '\n[tool.pypackpack.build]\ncompiler = "nuitka"\n', encoding="utf-8")
    options = ("single", "--type", "debug", "--level", "native", "--target", HOST, "--python", text(OLDEST), text(NEWEST))
    return build(mine, "eras", *options, env=here.environment)


@pytest.fixture(scope="session")
def joined_by_nuitka(by_nuitka: Built, project: Path, here: Here, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The package for the newest Python by Nuitka as one extension module, of the C that was made before."""
    assert by_nuitka.wheels()
    mine = copy_project(project, tmp_path_factory.mktemp("joined") / "eras")
    settings = mine / "eras" / "pyproject.toml"
    table = '\n[tool.pypackpack.build]\ncompiler = "nuitka"\nunit = "package"\n'
    settings.write_text(settings.read_text(encoding="utf-8") + table, encoding="utf-8")
    options = ("single", "--type", "debug", "--level", "native", "--target", HOST, "--python", text(NEWEST))
    return build(mine, "eras", *options, env=here.environment)


@pytest.fixture(scope="session")
def wasm(project: Path, here: Here) -> Built:
    """The package for the two Pythons that Pyodide has here."""
    options = ("single", "--type", "debug", "--level", "native", "--target", WASM, "--python", "3.13", text(NEWEST))
    return build(project, "eras", *options, env=here.environment)


def answers(done: Any) -> Mapping[str, Any]:  # noqa: ANN401 - what a Python of any kind ended with
    assert done.returncode == 0, done.stderr
    said = behaviours.parse(done.stdout)
    assert len(said["answers"]) > 15
    assert {name: answer for name, answer in said["answers"].items() if isinstance(answer, dict) and "raised" in answer} == {}
    return said


def compare(source: Mapping[str, Any], wheel: Mapping[str, Any], target: str, series: Series) -> None:
    assert wheel["version"][:2] == wheel["answers"]["eras.series"] == list(series)
    assert {file.partition(".")[2] for file in wheel["files"].values()} == {suffix(target, series)[1:]}
    assert set(wheel["files"]) == MODULES
    assert behaviours.differences(source, wheel, "eras") == {}


def test_each_wheel_runs_on_the_python_it_is_for(built: Built, others: Built, here: Here, project: Path, tmp_path: Path) -> None:
    assert {*PROVIDED, PYTHON} <= here.programs.keys()
    assert len(built.wheels()) == 2 * len(PROVIDED)
    sources = stage(project / "eras", "eras", tmp_path / "source")
    for series, program in here.programs.items():
        wheel = tmp_path / text(series)
        # An installer refuses a wheel whose tags are not those of the Python.
        words = [find_uv_bin(), "pip", "install", "--offline", "--no-deps", "--python", program, "--target", wheel]
        done = run([*words, (built if series in PROVIDED else others).wheel(HOST, series)], cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        said = [
            answers(run([program, behaviours.RUNNER, "eras"], cwd=tmp_path, env={"PYTHONPATH": str(folder)}))
            for folder in (sources, wheel)
        ]
        compare(said[0], said[1], HOST, series)


@pytest.mark.parametrize("series", [OLDEST, NEWEST], ids=text)
def test_each_wheel_by_nuitka_runs_on_the_python_it_is_for(
    series: Series, by_nuitka: Built, project: Path, foreign_python: PythonOf, tmp_path: Path
) -> None:
    python = foreign_python(HOST, series)
    folders = (stage(project / "eras", "eras", tmp_path / "source"), unpack([by_nuitka.wheel(HOST, series)], tmp_path / "wheel"))
    said = [answers(python.run_script(behaviours.RUNNER, paths=[folder], args=["eras"])) for folder in folders]
    compare(said[0], said[1], HOST, series)


def test_one_file_by_nuitka_runs_on_the_newest_python(
    joined_by_nuitka: Built, project: Path, foreign_python: PythonOf, tmp_path: Path
) -> None:
    python, wheel = foreign_python(HOST, NEWEST), joined_by_nuitka.wheel(HOST)
    assert native_modules(members(wheel)) == {"eras"}
    folders = (stage(project / "eras", "eras", tmp_path / "source"), unpack([wheel], tmp_path / "wheel"))
    said = [answers(python.run_script(behaviours.RUNNER, paths=[folder], args=["eras"])) for folder in folders]
    compare(said[0], said[1], HOST, NEWEST)


@pytest.mark.parametrize(("target", "series"), FOREIGN, ids=lambda value: value if isinstance(value, str) else text(value))
def test_each_wheel_runs_on_a_foreign_python(
    target: str, series: Series, built: Built, wasm: Built, project: Path, foreign_python: PythonOf, tmp_path: Path
) -> None:
    python = foreign_python(target, series)
    sources = stage(project / "eras", "eras", tmp_path / "source")
    wheel = unpack([(wasm if target == WASM else built).wheel(target, series)], tmp_path / "wheel")
    said = [answers(python.run_script(behaviours.RUNNER, paths=[folder], args=["eras"])) for folder in (sources, wheel)]
    compare(said[0], said[1], target, series)


@pytest.fixture(scope="session")
def everywhere(project: Path, here: Here) -> Built:
    """A very small package for all nine targets, for the oldest and the newest Python, as it would be released."""
    options = ("single", "--type", "release", "--level", "native", "--python", text(OLDEST), text(NEWEST))
    return build(project, "grain", *options, env=here.environment)


@pytest.mark.parametrize("series", [OLDEST, NEWEST], ids=text)
@pytest.mark.parametrize("target", TAGS)
def test_all_targets_for_the_oldest_and_the_newest(target: str, series: Series, everywhere: Built) -> None:
    assert everywhere.fallbacks(target) == {}
    wheel = everywhere.wheel(target, series)
    py = "cp{}{}".format(*series)
    found = {(tag.interpreter, tag.abi) for tag in parse_wheel_filename(wheel.name)[3]}
    assert found == {(py, py)}
    assert TAGS[target] in wheel.name
    files = members(wheel)
    assert native_modules(files) == {"grain", "grain.sand"}
    for name, data in files.items():
        if name.endswith((".so", ".pyd")):
            assert name.endswith(suffix(target, series))
            check(target, series, name, data)
            # No other Python stands in it, neither its library's name nor that of its modules.
            named = {int(digits) for digits in re.findall(rb"(?:cpython-|python|\.cp)(3\d\d)\b", data)}
            assert named <= {int(py[2:])}


def test_the_smallest_package_as_it_is_released(everywhere: Built, foreign_python: PythonOf, tmp_path: Path) -> None:
    for target, series in ((HOST, OLDEST), (HOST, NEWEST), ("windows_amd64", OLDEST), (WASM, NEWEST)):
        wheel = unpack([everywhere.wheel(target, series)], tmp_path / f"{target}-{text(series)}")
        code = "import grain.sand; print(grain.answer_grains(), grain.sand.__file__)"
        done = foreign_python(target, series).run(code, paths=[wheel])
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("[0.0, 0.25, 0.5, 0.75] ")
        assert done.stdout.rstrip().endswith(suffix(target, series))


@pytest.fixture
def free_threaded(foreign_python: PythonOf, tmp_path: Path) -> Path:
    """A Python 3.14 whose own build settings say what those of a free-threaded build say, to everybody who asks it.

    Everything in it is that of the provided Python but the one line that sysconfig reads.
    """
    python = foreign_python(HOST, NEWEST)
    program, folder = Path(python.command[0]), tmp_path / "free-threaded"
    library = Path("lib", program.name)
    (folder / "bin").mkdir(parents=True)
    for part in (Path(), Path("lib"), library):
        (folder / part).mkdir(exist_ok=True)
        for path in (python.folder / part).iterdir():
            if path.name not in {"bin", "lib", program.name, "__pycache__"}:
                (folder / part / path.name).symlink_to(path)
    shutil.copy2(program, folder / "bin" / program.name)
    (settings,) = (folder / library).glob("_sysconfigdata_*.py")
    said = settings.read_text(encoding="utf-8")
    settings.unlink()
    settings.write_text(f"{said}\nbuild_time_vars['Py_GIL_DISABLED'] = 1\n", encoding="utf-8")
    return folder / "bin" / program.name


def test_a_free_threaded_python_is_refused_in_one_sentence(free_threaded: Path, project: Path, tmp_path: Path) -> None:
    assert inspect_interpreter(free_threaded).free_threaded
    mine = copy_project(project, tmp_path / "mine")
    # Nothing but this Python and the system's own programs: no other 3.14 is there to be taken instead.
    alone = {"PATH": os.pathsep.join([str(free_threaded.parent), os.defpath]), "PYENV_ROOT": str(tmp_path / "none")}
    environment = {**alone, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "1000"}
    # By its own name, as the only 3.14 that is there, and as what the project's environment was made from.
    ways: list[tuple[list[str], str, bool]] = [
        (["--python", f"{text(NEWEST)}t"], f"Python {text(NEWEST)}t is free-threaded", False),
        (["--python", text(NEWEST)], f"{free_threaded} is a free-threaded Python", False),
        ([], f"{free_threaded} is a free-threaded Python", True),
    ]
    for words, said, as_environment in ways:
        if as_environment:
            (mine / ".venv" / "bin").mkdir(parents=True)
            (mine / ".venv" / "pyvenv.cfg").write_text(f"home = {free_threaded.parent}\nversion = 3.14.3\n", encoding="utf-8")
            (mine / ".venv" / "bin" / "python").symlink_to(free_threaded)
        before = snapshot(mine)
        for level in ("native", "instant"):
            command = [sys.executable, "-m", "pypackpack", "build", "grain", "source", "single", "--level", level, *words]
            done = run(command, cwd=mine, env=environment)
            message, hint = done.stderr.splitlines()
            assert message.startswith("error[usage]: ")
            assert said in message
            assert message.endswith("PyPackPack does not build for free-threaded Pythons")
            assert hint.startswith("hint: ")
            assert (done.returncode, done.stdout) == (2, "")
            assert snapshot(mine) == before


def test_a_plain_python_behind_a_free_threaded_one_is_taken(
    free_threaded: Path, here: Here, project: Path, tmp_path: Path
) -> None:
    mine = copy_project(project, tmp_path / "mine")
    path = os.pathsep.join([str(free_threaded.parent), here.environment["PATH"]])
    options = ("single", "--level", "instant", "--target", HOST, "--python", text(NEWEST))
    (wheel,) = build(mine, "grain", *options, env={"PATH": path}).wheels()
    assert wheel.is_file()
