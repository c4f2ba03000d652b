"""The wheels of usage-example, run on the host and on real foreign Pythons, as a person would use them."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import series
from uv import find_uv_bin

from tests.builds import EXAMPLE, PYTHON, Built, build, copy_project, members, native_modules, run, stage, unpack

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from conftest import PythonOf

PACKAGES = ("tidegauge", "tidewatch")
DEPENDENCIES = ("msgpack>=1.1.2; sys_platform != 'emscripten'", "tabulate>=0.9")
# What uv calls them; WebAssembly gets the one dependency that is pure.
UV_PLATFORMS = {"linux_arm64": "aarch64-manylinux_2_17", "windows_amd64": "x86_64-pc-windows-msvc"}
FOREIGN = ("linux_arm64", "windows_amd64", "emscripten_wasm32")

# Runs on every platform and prints one JSON; what it says must not depend on whether it is compiled.
SCRIPT = """
import asyncio
import contextlib
import dataclasses
import importlib
import inspect
import io
import json
import pickle
import pkgutil
import runpy
import sys
import tempfile
import traceback
from datetime import datetime, timedelta, timezone
from importlib import resources
from pathlib import Path

START = datetime(2026, 5, 1, 6, tzinfo=timezone.utc)
answer = {"modules": {}}
for name in ("tidegauge", "tidewatch"):
    top = importlib.import_module(name)
    for each in [name, *(info.name for info in pkgutil.iter_modules(top.__path__, name + "."))]:
        module = importlib.import_module(each)
        answer["modules"][each] = Path(module.__file__).name.split(".")[0]

from tidegauge import Archive, Reading, Series, UnknownStationError, codec, next_extremes, places, predict, station, stations
from tidegauge.harmonics import curve
from tidegauge.series import running_mean
from tidewatch import alarms, cli, collect, errors, feed, settings

reading = Reading(START, "greywick", 1.25, notes=("ice",))
frozen = ""
try:
    reading.level = 2.0
except dataclasses.FrozenInstanceError as error:
    frozen = str(error)
answer["dataclasses"] = [
    repr(reading),
    repr(reading.estimated(1.5, "guess")),
    pickle.loads(pickle.dumps(reading)) == reading,
    frozen,
    [field.name for field in dataclasses.fields(settings.Settings)],
    sorted([Reading(START, "b", 1.0), Reading(START, "a", 2.0)])[0].station,
]

surge = alarms.surge(0.1, in_a_row=2)
answer["closures"] = [surge.__name__, [rule().__name__ for rule in alarms.RULES.values()], str(inspect.signature(alarms.surge))]
mean = running_mean()
next(mean)
answer["generators"] = [mean.send(2.0), mean.send(4.0), mean.throw(ArithmeticError), [round(v, 9) for _, v in curve(station("greywick"), START, 3, timedelta(hours=1))]]

async def watched(**kinds):
    return await collect.collect([station(key) for key in stations()], START, 6, 10, timeout=0.5, kinds=kinds)

watches = asyncio.run(watched(northhaven="silent"))
answer["async"] = [
    [watch.station.key, len(watch.series), str(watch.problem), alarms.judge(watch).state.name, alarms.judge(watch).text] for watch in watches
]
answer["kinds"] = [inspect.iscoroutinefunction(collect.collect), inspect.isasyncgenfunction(feed.SimulatedFeed.readings)]

told = []
for call in (
    lambda: station("atlantis"),
    lambda: settings.load(hours=0, format="pdf"),
    lambda: asyncio.run(watched(greywick="radio")),
    lambda: codec.decode(b"?"),
    lambda: Series().add(5),
    lambda: feed.Feed(station("greywick")),
):
    try:
        call()
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        told.append([type(error).__name__, str(error), getattr(error, "exit_code", None), last.filename.replace("\\\\", "/").rpartition("/")[2], last.lineno])
answer["exceptions"] = told[:5] + [told[5][0]]

answer["data"] = [
    [each.name for each in stations().values()],
    sorted(each.name for each in resources.files("tidewatch").joinpath("data").iterdir()),
    settings.default_values(),
    round(predict(station("saltmouth"), START), 9),
    [str(each) for each in next_extremes(station("saltmouth"), START, 2)],
]
answer["overlay"] = [places.SYSTEM, alarms.State.FLOOD.advice, places.archive_folder({"LOCALAPPDATA": "x", "XDG_DATA_HOME": "x"}).name]

with tempfile.TemporaryDirectory() as folder:
    archive = Archive(Path(folder))
    archive.save("greywick", Series([reading]))
    answer["archive"] = [archive.stations(), list(archive.load("greywick")) == [reading], codec.best().name]

out = io.StringIO()
sys.argv = ["tidewatch", "--hours", "3"]
try:
    with contextlib.redirect_stdout(out):
        runpy.run_module("tidewatch", run_name="__main__", alter_sys=True)
except SystemExit as end:
    answer["program"] = [end.code, out.getvalue()]
print(json.dumps(answer))
"""


@dataclass(frozen=True)
class Ready:
    """Both packages for one target, and what runs them."""

    target: str
    builds: Mapping[str, Built]
    run: Callable[[list[Path]], subprocess.CompletedProcess[str]]
    dependencies: Path


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory, foreign_python: PythonOf) -> Callable[[str], Ready]:
    """Give the example for a target, built once."""
    project = copy_project(EXAMPLE, tmp_path_factory.mktemp("wheels") / "usage example")
    folder = tmp_path_factory.mktemp("dependencies")

    @cache
    def make(target: str) -> Ready:
        options = ("single", "--type", "release", "--level", "native", "--target", target)
        if target not in FOREIGN:
            builds = {name: build(project, name, *options, "--python", "{}.{}".format(*PYTHON)) for name in PACKAGES}
            return Ready(target, builds, here, dependencies(target, PYTHON, folder / target))
        python = series.choose(target, foreign_python)
        words, environment = series.words(python), series.environment(python)
        builds = {name: build(project, name, *options, *words, env=environment) for name in PACKAGES}
        installed = dependencies(target, python.version[:2], folder / target)
        return Ready(target, builds, lambda paths: python.run(SCRIPT, paths=paths), installed)

    return make


def here(paths: list[Path]) -> subprocess.CompletedProcess[str]:
    """Run the script on the Python of the tests."""
    return run([sys.executable, "-c", SCRIPT], cwd=paths[0].parent, env={"PYTHONPATH": os.pathsep.join(map(str, paths))})


def dependencies(target: str, python: tuple[int, int], folder: Path) -> Path:
    """Install what the example needs on a target into a folder."""
    needed = [DEPENDENCIES[1]] if target == "emscripten_wasm32" else list(DEPENDENCIES)
    if target in UV_PLATFORMS:
        needed += ["--python-platform", UV_PLATFORMS[target]]
    words = ["--quiet", "--only-binary", ":all:", "--python", sys.executable, "--python-version", "{}.{}".format(*python)]
    done = run([find_uv_bin(), "pip", "install", *words, "--target", folder, *needed], cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    return folder


def check(answer: Mapping[str, Any], source: Mapping[str, Any], target: str) -> None:
    """Look at what the script printed on a target."""
    assert len(answer["modules"]) == 18
    assert answer["modules"] == {name: name.rpartition(".")[2] if "." in name else "__init__" for name in answer["modules"]}
    windows = target.startswith("windows")
    assert answer["overlay"][0] == ("windows" if windows else "unix")
    assert ("tidewatch.exe" in answer["overlay"][1]) is windows
    assert answer["archive"][2] == ("json" if target.startswith("emscripten") else "msgpack")
    assert [watch[3] for watch in answer["async"]] == ["SILENT", "SURGE", "FLOOD"]
    assert [each[0] for each in answer["exceptions"][:5]] == [
        "UnknownStationError",
        "SettingsError",
        "FeedError",
        "CodecError",
        "TypeError",
    ]
    assert answer["program"][0] == 0
    assert "Northhaven, Øster pier" in answer["program"][1]
    assert answer == source


@pytest.mark.parametrize("target", ["linux_x86_64", *FOREIGN])
def test_runs_as_the_sources_do(target: str, ready: Callable[[str], Ready], tmp_path: Path) -> None:
    example = ready(target)
    for name in PACKAGES:
        stage(EXAMPLE / name, name, tmp_path / "source", *(("windows",) if target.startswith("windows") else ()))
        unpack([example.builds[name].wheel(target)], tmp_path / "wheel")
    said = []
    for folder in (tmp_path / "source", tmp_path / "wheel"):
        done = example.run([folder, example.dependencies])
        assert done.returncode == 0, done.stderr
        said.append(json.loads(done.stdout))
    check(said[1], said[0], target)


@pytest.mark.parametrize("target", ["linux_x86_64", *FOREIGN])
@pytest.mark.parametrize("name", PACKAGES)
def test_everything_is_native(name: str, target: str, ready: Callable[[str], Ready]) -> None:
    built = ready(target).builds[name]
    source = {path.stem for path in (EXAMPLE / name / "src" / "main").glob("*.py")} - {"__main__"}
    assert built.fallbacks(target) == {}
    files = members(built.wheel(target))
    assert native_modules(files) == {f"{name}.{stem}".removesuffix(".__init__") for stem in source}
    assert not [file for file in files if "test" in file.split("/") or file.endswith((".c", ".pyx"))]
