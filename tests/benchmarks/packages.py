"""Runs the test suites of well-known pure Python packages, interpreted and compiled by pypackpack, and compares test by test.

    python tests/benchmarks/packages.py [NAME...] [--compiler cython] [--work FOLDER]
    python tests/benchmarks/packages.py --pin NAME           # the newest version's line for packages.toml
    python tests/benchmarks/packages.py --page               # docs/reference/packages.md from the results

What is tested stands in ``packages.toml``: version, digest of the sdist, its tests, what these need. From each sdist a project of
pypackpack is made, one package for each import package in it; it is built at level instant and at level native (debug type,
this machine, this Python) and each of the two is installed into a fresh environment, where the package's own tests run in a copy of
the sdist without its sources. The ends of all tests are compared. A difference that ``packages_known.toml`` does not explain is an
error of this script, and so is an explanation that explains nothing any more.

Results go to ``packages_results.json``, under compiler and package.
"""

from __future__ import annotations

import argparse
import datetime as dt
import fnmatch
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RESULTS = HERE / "packages_results.json"
PAGE = ROOT / "docs" / "reference" / "packages.md"
TEST_MINUTES = 15


@dataclass(frozen=True)
class Subject:
    """A package to test.

    Attributes:
        name: Distribution name.
        version: Its version.
        sha256: Digest of its sdist.
        imports: Its import packages that are built; others are not looked at.
        tests: Files and folders of tests in the sdist; those inside an import package are moved out of it.
        requires: What its tests need besides pytest and its own dependencies.
        args: Further words for pytest.
        remove: Files of the sdist that are not to be there, with the reason beside them in packages.toml.
    """

    name: str
    version: str
    sha256: str
    imports: tuple[str, ...]
    tests: tuple[str, ...]
    requires: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


def subjects() -> dict[str, Subject]:
    """Return the packages of packages.toml."""
    found = tomllib.loads((HERE / "packages.toml").read_text(encoding="utf-8"))["package"]
    return {
        each["name"]: Subject(**{key: tuple(value) if isinstance(value, list) else value for key, value in each.items()})
        for each in found
    }


def call(*words: str | Path, cwd: Path, env: dict[str, str] | None = None, may_fail: bool = False, timeout: float = 1800) -> str:
    """Run a program; return what it printed."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        words,
        cwd=cwd,
        env={**clean, **(env or {})},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        timeout=timeout,
    )
    if done.returncode != 0 and not may_fail:
        msg = f"{' '.join(map(str, words))}: exit code {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
        raise RuntimeError(msg)
    return done.stdout


def fetch(subject: Subject, work: Path) -> Path:
    """Return the sdist, fetched once and compared with its digest."""
    folder = work / "sdists"
    folder.mkdir(parents=True, exist_ok=True)
    known = [path for path in folder.iterdir() if hashlib.sha256(path.read_bytes()).hexdigest() == subject.sha256]
    if not known:
        wanted = folder / f"{subject.name}.txt"
        wanted.write_text(f"{subject.name}=={subject.version} --hash=sha256:{subject.sha256}\n", encoding="utf-8")
        words = ["--no-deps", "--no-binary", subject.name, "--require-hashes", "-r", wanted]
        call(sys.executable, "-m", "pip", "download", "-q", *words, cwd=folder)
        known = [path for path in folder.iterdir() if hashlib.sha256(path.read_bytes()).hexdigest() == subject.sha256]
    return known[0]


def as_project(subject: Subject, sdist: Path, folder: Path) -> tuple[Path, Path, list[str]]:
    """Make a project of ours from a package; return it, the unpacked sdist without the package, and the dependencies."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "sdist", filter="data")
    (top,) = (folder / "sdist").iterdir()
    # Its own build makes what is generated: version files, tables.
    call(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder / "wheel", sdist, cwd=folder)
    (wheel,) = (folder / "wheel").iterdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "files")  # noqa: S202 - built a moment ago
    (info,) = (folder / "files").glob("*.dist-info")
    lines = (info / "METADATA").read_text(encoding="utf-8").partition("\n\n")[0].splitlines()
    needs = [line.partition(": ")[2] for line in lines if line.startswith("Requires-Dist: ") and "extra ==" not in line]
    project = folder / "project"
    project.mkdir()
    (project / ".python-version").write_text(platform.python_version() + "\n", encoding="utf-8")
    packages = json.dumps(list(subject.imports))
    minimum = f'requires-python = ">={sys.version_info[0]}.{sys.version_info[1]}"\n'
    (project / "pyproject.toml").write_text(
        f'[project]\nname = "project-of-{subject.name}"\nversion = "1"\n{minimum}\n[tool.pypackpack]\npackages = {packages}\n',
        encoding="utf-8",
    )
    for number, name in enumerate(subject.imports):
        main = project / name / "src" / "main"
        shutil.copytree(folder / "files" / name, main)
        entries = entry_points(info) if number == 0 else ""
        text = f'[project]\nname = "{name}"\nversion = "{subject.version}"\n{minimum}{entries}\n[tool.pypackpack]\ntargets = ["linux_x86_64"]\n'
        (project / name / "pyproject.toml").write_text(text, encoding="utf-8")
    for path in subject.remove:
        remove(top / path)
    for test in subject.tests:
        inside = [name for name in subject.imports if test.partition("/")[0] == name]
        if inside:  # tests that lie in the package: they are not what is compiled
            remove(project / inside[0] / "src" / "main" / test.partition("/")[2])
            shutil.move(top / test, top / f"moved_{Path(test).name}")
    for name in subject.imports:
        for place in (top / name, top / "src" / name):
            remove(place)
    return project, top, needs


def entry_points(info: Path) -> str:
    """Return the entry points of a distribution as the tables of pyproject.toml."""
    import configparser  # noqa: PLC0415 - beside its only use

    file = info / "entry_points.txt"
    if not file.exists():
        return ""
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(file.read_text(encoding="utf-8"))
    tables = {"console_scripts": "scripts", "gui_scripts": "gui-scripts"}
    text = ""
    for group in parser.sections():
        table = tables.get(group, f'entry-points."{group}"')
        text += f"\n[project.{table}]\n" + "".join(
            f"{json.dumps(name)} = {json.dumps(value)}\n" for name, value in parser[group].items()
        )
    return text


def remove(path: Path) -> None:
    """Take a file or folder away."""
    if path.is_dir():
        shutil.rmtree(path)
    elif path.exists():
        path.unlink()


def build(project: Path, name: str, level: str, compiler: str) -> tuple[Path, list[dict[str, Any]]]:
    """Build a package of the project for this machine; return the wheel and what fell back."""
    file = project / name / "pyproject.toml"
    text = file.read_text(encoding="utf-8").partition("\n[tool.pypackpack.build]")[0]
    file.write_text(
        f'{text}\n[tool.pypackpack.build]\ncompiler = "{compiler}"\n' if level == "native" else text, encoding="utf-8"
    )
    words = ["build", name, "source", "single", "--type", "debug", "--level", level, "--target", "host", "--json"]
    said = call(sys.executable, "-m", "pypackpack", *words, cwd=project, env={"PYTHONPATH": str(ROOT)}, timeout=7200)
    answer = json.loads(said.splitlines()[-1])
    return Path(answer["artifacts"][0]["path"]), answer["fallbacks"]


def run_tests(subject: Subject, python: Path, top: Path, folder: Path, word: str) -> dict[str, dict[str, str]]:
    """Run the tests of a package with a Python; return the end of each, and why it was a bad one."""
    place = folder / f"run-{word}"
    shutil.copytree(top, place, symlinks=True)
    record = folder / f"{word}.jsonl"
    record.touch()
    tests = [f"moved_{Path(test).name}" if test.partition("/")[0] in subject.imports else test for test in subject.tests]
    words = [
        "-m",
        "pytest",
        "-q",
        "-p",
        "outcomes",
        "-p",
        "no:cacheprovider",
        "--continue-on-collection-errors",
        "--timeout=120",
        *subject.args,
        *tests,
    ]
    env = {"OUTCOMES": str(record), "PYTHONPATH": str(HERE), "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "TZ": "UTC"}
    try:
        said = call(python, *words, cwd=place, env=env, may_fail=True, timeout=60 * TEST_MINUTES)
    except subprocess.TimeoutExpired:
        said = f"no end after {TEST_MINUTES} minutes"
    (folder / f"{word}.txt").write_text(said, encoding="utf-8")
    found: dict[str, dict[str, str]] = {}
    for line in record.read_text(encoding="utf-8").splitlines():
        content = json.loads(line)
        test = found.setdefault(content["test"], {})
        test.update({key: value for key, value in content.items() if key != "test"})
    for test in found.values():
        if test.get("outcome") == "started":  # nothing came after: the process died in it, or was ended
            test["outcome"] = "died"
    return found


def known_differences(compiler: str, name: str) -> list[dict[str, Any]]:
    """Return the explained differences of a package."""
    known = tomllib.loads((HERE / "packages_known.toml").read_text(encoding="utf-8")).get("difference", [])
    return [each for each in known if each["package"] == name and compiler in each["compilers"]]


def paired(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> dict[str, tuple[str, str]]:
    """Return the two ends of each test.

    Names of parametrised tests may hold the time, or a number by the order of a set: those of one function that only one run has
    are taken for the same tests where they are as many, with the same ends.
    """
    ends = {
        test: (before.get(test, {}).get("outcome", "absent"), after.get(test, {}).get("outcome", "absent"))
        for test in {**before, **after}
    }
    lone: dict[str, list[str]] = {}
    for test, pair in ends.items():
        if "absent" in pair and "[" in test:
            lone.setdefault(test.partition("[")[0], []).append(test)
    for tests in lone.values():
        first = Counter(ends[test][0] for test in tests if ends[test][0] != "absent")
        second = Counter(ends[test][1] for test in tests if ends[test][1] != "absent")
        if first == second:
            for test in tests:
                word, other = ends.pop(test)
                if word != "absent":
                    ends[test] = (word, word)
                assert "absent" in (word, other)
    return ends


def compare(subject: Subject, compiler: str, work: Path) -> tuple[dict[str, Any], list[str]]:
    """Test one package; return its result and what is wrong with that."""
    start = time.monotonic()
    folder = work / compiler / subject.name  # it stays until the next run, to look at
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    project, top, needs = as_project(subject, fetch(subject, work), folder)
    venv = folder / "venv"
    python = venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    uv = [sys.executable, "-m", "uv", "-q"]
    call(*uv, "venv", "--python", sys.executable, venv, cwd=folder)
    install = [*uv, "pip", "install", "--python", python]
    call(*install, "pytest>=8", "pytest-timeout", *needs, *subject.requires, cwd=folder)
    outcomes = {}
    fallbacks: list[dict[str, Any]] = []
    for level in ("instant", "native"):
        for package in subject.imports:
            wheel, fell = build(project, package, level, compiler)
            fallbacks += fell
            call(*install, "--no-deps", "--force-reinstall", wheel, cwd=folder)
        outcomes[level] = run_tests(subject, python, top, folder, level)
    modules = sum(1 for path in (project).rglob("src/main/**/*.py") if path.stem != "__main__")
    ends = paired(outcomes["instant"], outcomes["native"])
    different = {test: pair for test, pair in ends.items() if pair[0] != pair[1]}
    known = known_differences(compiler, subject.name)
    explained = {
        test: each["reason"]
        for test in different
        for each in known
        if any(fnmatch.fnmatchcase(test, glob) for glob in each["tests"])
    }
    wrong = [f"{test}: {pair[0]} -> {pair[1]}" for test, pair in sorted(different.items()) if test not in explained]
    idle = [glob for each in known for glob in each["tests"] if not any(fnmatch.fnmatchcase(test, glob) for test in different)]
    problems = [f"{subject.name}: not explained: {line}" for line in wrong[:20]]
    problems += [f"{subject.name}: and {len(wrong) - 20} more"] if len(wrong) > 20 else []
    problems += [f"{subject.name}: explained and the same: {glob}" for glob in idle]
    if not any(pair[0] == "passed" for pair in ends.values()):
        problems.append(f"{subject.name}: no test passes interpreted")
    result = {
        "version": subject.version,
        "date": dt.datetime.now(dt.timezone.utc).date().isoformat(),
        "python": platform.python_version(),
        "modules": modules,
        "fallbacks": {each["module"]: each["reason"].splitlines()[0] for each in fallbacks},
        "tests": len(ends),
        "interpreted": dict(sorted(Counter(pair[0] for pair in ends.values()).items())),
        "compiled": dict(sorted(Counter(pair[1] for pair in ends.values()).items())),
        "explained": dict(sorted(Counter(explained.values()).items())),
        "unexplained": len(wrong),
    }
    print(
        f"{subject.name} {subject.version}: {len(ends)} tests, {len(different)} different, {len(wrong)} unexplained, {len(fallbacks)} of {modules} modules fell back, {time.monotonic() - start:.0f} s",
        flush=True,
    )
    return result, problems


def versions(compiler: str) -> dict[str, str]:
    """Return the versions that decide a result."""
    from importlib.metadata import version  # noqa: PLC0415 - beside its only use

    from pypackpack import __version__  # noqa: PLC0415 - --page does without

    names = {"cython": "Cython", "nuitka": "Nuitka"}
    return {"pypackpack": __version__, compiler: version(names.get(compiler, compiler))}


def page() -> str:
    """Return the reference page of all results."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    lines = [
        "# Well-known packages, compiled",
        "",
        "<!-- Made from packages_results.json by `python tests/benchmarks/packages.py --page`. Do not edit. -->",
        "",
        "The test suites of these packages were run twice: on their modules as source, and on the same modules built by pypackpack at",
        "level `native`. The table counts tests with the same end and those with another one. What fails in both (for want of a network or",
        "of some tool) counts as the same. `tests/benchmarks/packages.py` makes it; it fails when a difference is not explained below.",
    ]
    for compiler, content in sorted(results.items()):
        said = ", ".join(f"{name} {version}" for name, version in content["versions"].items())
        packages = content["packages"]
        tests = sum(each["tests"] for each in packages.values())
        different = sum(sum(each["explained"].values()) + each["unexplained"] for each in packages.values())
        lines += ["", f"## {compiler}", "", f"{said}. {len(packages)} packages, {tests} tests, {different} with another end.", ""]
        lines += [
            "| package | modules | fell back | tests | passed as source | passed compiled | different | Python, date |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
        ]
        for name, each in sorted(packages.items()):
            other = sum(each["explained"].values()) + each["unexplained"]
            lines.append(
                f"| {name} {each['version']} | {each['modules']} | {len(each['fallbacks'])} | {each['tests']} | {each['interpreted'].get('passed', 0)}"
                f" | {each['compiled'].get('passed', 0)} | {other} | {each['python']}, {each['date']} |"
            )
        why: dict[str, list[str]] = {}
        for name, each in sorted(packages.items()):
            for reason, number in each["explained"].items():
                why.setdefault(reason, []).append(f"{name} ({number})")
        if why:
            lines += ["", "Tests with another end, and why:", ""]
            lines += [f"* {reason} {', '.join(names)}." for reason, names in sorted(why.items())]
        fell = [(module, reason) for _, each in sorted(packages.items()) for module, reason in each["fallbacks"].items()]
        if fell:
            lines += ["", "Modules that fell back to bytecode:", ""]
            lines += [f"* `{module}`: {reason.partition(': ')[2] or reason}" for module, reason in fell]
    return "\n".join(lines) + "\n"


def pinned(name: str, work: Path) -> str:
    """Return the lines for packages.toml of the newest version of a package."""
    folder = work / f"pin-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    call(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", name, name, cwd=folder)
    (sdist,) = folder.iterdir()
    version = sdist.name.removesuffix(".tar.gz").rpartition("-")[2]
    digest = hashlib.sha256(sdist.read_bytes()).hexdigest()
    return f'[[package]]\nname = "{name}"\nversion = "{version}"\nsha256 = "{digest}"\nimports = ["{name}"]\ntests = ["tests"]\n'


def main() -> int:
    """Test packages, and say what is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--compiler", default="cython")
    parser.add_argument("--work", type=Path, help="a folder outside of this project, whose pytest settings would be taken")
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--pin", action="append", default=[])
    parser.add_argument("--no-record", action="store_true", help="leave packages_results.json as it is")
    options = parser.parse_args()
    work = Path(options.work or tempfile.mkdtemp(prefix="pypackpack-packages-")).resolve()
    work.mkdir(parents=True, exist_ok=True)
    for name in options.pin:
        print(pinned(name, work))
    if options.pin:
        return 0
    if options.page:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    known = subjects()
    problems: list[str] = []
    for name in options.names or known:
        try:
            result, wrong = compare(known[name], options.compiler, work)
        except RuntimeError as error:
            problems.append(f"{name}: {error}")
            print(problems[-1], flush=True)
            continue
        problems += wrong
        print("\n".join(wrong), flush=True)
        if not options.no_record:
            results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
            table = results.setdefault(options.compiler, {"packages": {}})
            table["versions"] = versions(options.compiler)
            table["packages"][name] = result
            RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
