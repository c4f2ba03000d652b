"""Fat wheels of well-known packages with native code: built, installed, and asked whether all of it works. Prints a table.

    python tests/benchmarks/fat.py [--level native] [--target linux_arm64] [numpy lxml ...]

Each row is a package that depends on one of them. On this machine the fat wheel is installed by uv into an empty environment, by
pip with ``--target``, and by uv beside another version of the same dependency; with ``--target`` it runs on the foreign Python
of that target (``tests/foreign/provide.py``). ``--level native`` compiles what is Python in them. Needs the package index.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1] / "foreign"), str(HERE.parents[2])]

from pythons import find  # noqa: E402 - found by the line above

from pypackpack.middleware.verify import verify  # noqa: E402 - as above

UV = Path(sys.executable).with_name("uv")

# What is asked for, and what shows that its native code works; of the second line the value is printed as JSON.
ROWS: dict[str, tuple[tuple[str, ...], str]] = {
    "numpy": (("numpy",), "import numpy\nint((numpy.arange(6).reshape(2, 3) @ numpy.ones((3, 2))).sum())"),
    "pydantic": (("pydantic",), "import pydantic\npydantic.create_model('M', a=(int, ...))(a='3').model_dump()"),
    "lxml": (("lxml",), "from lxml import etree\netree.fromstring('<a><b x=\"1\"/></a>').xpath('//@x')"),
    "pyyaml": (("pyyaml",), "import yaml\nyaml.load('a: [1, 2]', Loader=getattr(yaml, 'CSafeLoader', yaml.SafeLoader))"),
    "cffi": (("cffi",), "import cffi\ncffi.FFI().sizeof('int')"),
    "cryptography": (
        ("cryptography",),
        "from cryptography.fernet import Fernet as F; f = F(b'A' * 43 + b'=')\nf.decrypt(f.encrypt(b'x')).decode()",
    ),
    "msgpack": (("msgpack",), "import msgpack\nmsgpack.unpackb(msgpack.packb([1, 'a'])) + [msgpack.Packer.__module__]"),
    "orjson": (("orjson",), "import orjson\norjson.dumps({'a': 1}).decode()"),
    "aiohttp": (("aiohttp",), "import aiohttp, yarl, multidict, frozenlist\nstr(yarl.URL('http://a/b') / 'c')"),
    "regex": (("regex",), "import regex\nregex.findall(r'\\p{Lu}', 'aBcD')"),
    "pillow": (("pillow",), "import io, PIL.Image as i\nb = io.BytesIO(); i.new('RGB', (4, 4)).save(b, 'PNG'); i.open(b).size"),
    "jinja2": (("jinja2",), "import jinja2, markupsafe._speedups\njinja2.Template('{{ a|e }}').render(a='<')"),
    "greenlet": (("greenlet",), "import greenlet\ngreenlet.greenlet(lambda: 42).switch()"),
    "psutil": (("psutil",), "import psutil\npsutil.Process().pid > 0"),
    "pandas": (("pandas",), "import pandas\nint(pandas.DataFrame({'a': [1, 2]}).a.sum())"),
    "sqlalchemy": (
        ("sqlalchemy",),
        "import sqlalchemy as s\ns.create_engine('sqlite://').connect().execute(s.text('select 42')).scalar()",
    ),
    "rich": (("rich", "click", "attrs"), "import rich.text, click, attrs\nstr(rich.text.Text.from_markup('[b]x[/b]'))"),
}

_ASK = """
import json, sys
import importlib.metadata as metadata
def ask():
    scope = {{"__name__": "app"}}
    *lines, last = {code!r}.splitlines()
    exec("\\n".join(lines), scope)
    *before, last = last.split("; ")
    exec("\\n".join(before), scope)
    return eval(last, scope)
"""

QUESTIONS = """
import importlib.metadata as metadata, importlib.resources, json, pathlib, pickle, sys
import app
folder = pathlib.Path(app.__file__).parents[1]
found = {{each.metadata["Name"]: each for each in metadata.distributions(path=[str(folder)])}}
gone = [str(file) for each in found.values() for file in each.files or () if not file.locate().is_file()]
wrong = [str(file) for each in found.values() for file in each.files or ()
         if file.hash and "__pycache__" not in str(file) and file.size != file.locate().stat().st_size]
tops = sorted(path.name for path in folder.iterdir() if (path / "__init__.py").is_file() or list(path.glob("__init__.*.so")))
print(json.dumps({{
    "answer": app.ask(),
    "inside": folder.name == "_carried",
    "gone": gone,
    "wrong": wrong,
    "versions": {{name: metadata.version(name) for name in sorted(found)}},
    "licences": sum("licen" in str(file).lower() or "copying" in str(file).lower()
                    for each in found.values() for file in each.files or ()),
    "resources": [top for top in tops if not any(importlib.resources.files(top).iterdir())],
    "plugins": [each.name for each in metadata.entry_points(group="app.plugins")],
    "pickled": pickle.loads(pickle.dumps(app.Thing)) is app.Thing,
    "native": sum(bool((getattr(module, "__file__", None) or "").endswith((".so", ".pyd"))) and str(folder) in module.__file__
                  for module in list(sys.modules.values())),
}}, default=str))
"""


class NotThereError(Exception):
    """A dependency does not work on a foreign Python, carried or not."""


def run(words: list[str | Path], folder: Path, **more: str) -> str:
    """Run a program and return what it prints; raise with its words if it fails."""
    environment = {**os.environ, "PYTHONPATH": "", "PYTHONUTF8": "1", **more}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        message = f"{' '.join(map(str, words[:4]))}: {done.stderr.strip() or done.stdout.strip()}"
        raise RuntimeError(message)
    return done.stdout


def project(folder: Path, needs: tuple[str, ...], code: str, target: str, python: str) -> Path:
    """Write a project whose package needs them."""
    main = folder / "app" / "src" / "main"
    main.mkdir(parents=True)
    (main / "__init__.py").write_text(
        _ASK.format(code=code) + "class Thing:\n    pass\ndef main():\n    print(json.dumps(ask()))\n"
    )
    listed = ", ".join(f'"{name}"' for name in needs)
    (folder / "app" / "pyproject.toml").write_text(
        f'[project]\nname = "app"\nversion = "1.0"\nlicense = "MIT"\ndependencies = [{listed}]\n[project.scripts]\n'
        f'appcmd = "app:main"\n[project.entry-points."app.plugins"]\none = "app:main"\n'
        f'[tool.pypackpack]\ntargets = ["{target}"]\npython = ["{python}"]\n'
    )
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "whole"\nversion = "1"\nrequires-python = ">=3.10"\n[tool.pypackpack]\npackages = ["app"]\n'
    )
    return folder


def build(root: Path, level: str, path: str) -> dict[str, object]:
    """Build the fat wheel and return what the build says."""
    words = [sys.executable, "-m", "pypackpack", "build", "app", "source", "fat", "--level", level, "--json"]
    return json.loads(run(words, root, PYTHONPATH=str(HERE.parents[2]), PATH=path).splitlines()[-1])


def checked(answer: dict[str, object], names: tuple[str, ...]) -> dict[str, object]:
    """Return what an installed package says, after looking whether it is right."""
    right = {"inside": True, "gone": [], "wrong": [], "resources": [], "plugins": ["one"], "pickled": True}
    found = {key: answer[key] for key in right}
    if found != right:
        message = f"expected {right}, found {found}"
        raise RuntimeError(message)
    versions = {name.lower() for name in answer["versions"]}  # type: ignore[union-attr]
    if missing := {"app", *names} - versions:
        message = f"no metadata of {missing}"
        raise RuntimeError(message)
    return answer


def on_host(wheel: Path, names: tuple[str, ...], folder: Path) -> dict[str, object]:
    """Install a wheel in every way, and ask each time."""
    environment, pip = folder / "venv", [UV, "pip"]
    run([UV, "venv", "--quiet", "--no-project", "--python", sys.executable, environment], folder)
    python = environment / "bin" / "python"
    run([*pip, "install", "--quiet", "--no-index", "--python", python, wheel], folder)
    code = QUESTIONS.format()
    empty = checked(json.loads(run([python, "-c", code], folder).splitlines()[-1]), names)
    if (said := json.loads(run([environment / "bin" / "appcmd"], folder))) != empty["answer"]:
        message = f"the command says {said}"
        raise RuntimeError(message)
    run([*pip, "check", "--python", python], folder)
    # Beside another version of the same dependency, which has to stay what it is without the package.
    versions: dict[str, str] = {name.lower(): version for name, version in empty["versions"].items()}  # type: ignore[attr-defined]
    run([*pip, "install", "--quiet", "--python", python, *(f"{name}!={versions[name]}" for name in names)], folder)
    ask = f"import importlib.metadata as m, json; print(json.dumps([m.version(n) for n in {names!r}]))"
    others = json.loads(run([python, "-c", ask], folder))
    beside = checked(json.loads(run([python, "-c", code], folder).splitlines()[-1]), names)
    if others == [versions[name] for name in names] or beside != empty:
        message = f"beside {others}: {beside} and not {empty}"
        raise RuntimeError(message)
    run([*pip, "uninstall", "--quiet", "--python", python, "app-fat"], folder)
    if json.loads(run([python, "-c", ask], folder)) != others:
        message = "uninstalling changed the other version"
        raise RuntimeError(message)
    place = folder / "place"
    words = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--disable-pip-version-check", "--target", place]
    run([*words, wheel], folder)
    if checked(json.loads(run([sys.executable, "-c", code], folder, PYTHONPATH=str(place)).splitlines()[-1]), names) != empty:
        message = "installed by pip it is another one"
        raise RuntimeError(message)
    return {**empty, "beside": ", ".join(others)}


def elsewhere(wheel: Path, names: tuple[str, ...], folder: Path, target: str, version: tuple[int, int]) -> dict[str, object]:
    """Unpack a wheel as installers do, and ask on the foreign Python."""
    python = find(target.replace("_2_28", ""), version)
    assert python is not None
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")  # our own wheel
    done = python.run(QUESTIONS.format(), paths=[folder / "site"])
    if done.returncode:
        # What does not work as plain folders either lacks something of that Python's system, and says nothing of the wheel.
        plain = python.run("import app; app.ask()", paths=[folder / "site" / "app" / "_carried"])
        if plain.returncode:
            raise NotThereError([f"exit code {plain.returncode}", *plain.stderr.strip().splitlines()][-1])
        raise RuntimeError(done.stderr)
    last = done.stdout.splitlines()[-1]
    if not last.startswith("{"):
        raise RuntimeError(done.stdout + done.stderr)
    return checked(json.loads(last), names)


def row(name: str, target: str, level: str) -> str:
    """Build and ask one; return its line of the table."""
    needs, code = ROWS[name]
    host = target == "linux_2_28_x86_64"
    foreign = None if host else find(target.replace("_2_28", ""))
    version = sys.version_info[:2] if foreign is None else foreign.version[:2]
    path = os.environ["PATH"]
    if foreign is not None and version != sys.version_info[:2] and (here := find("linux_x86_64", version)):
        path = f"{Path(here.command[0]).parent}{os.pathsep}{path}"
    with tempfile.TemporaryDirectory(prefix="fat-") as scratch:
        folder = Path(scratch)
        root = project(folder / "project", needs, code, target, "{}.{}".format(*version))
        start = time.monotonic()
        said = build(root, level, path)
        seconds = time.monotonic() - start
        (artifact,) = said["artifacts"]  # type: ignore[misc]
        wheel = Path(artifact["path"])
        problems = [problem for check in verify(wheel).checks for problem in check.problems]
        if problems:
            raise RuntimeError(problems[0])
        asked = tuple(each.lower() for each in needs)
        found = on_host(wheel, asked, folder) if host else elsewhere(wheel, asked, folder, target, version)
        carried = ", ".join(f"{each} {number}" for each, number in found["versions"].items() if each != "app")  # type: ignore[attr-defined]
        cells = [name, carried, wheel.name.split("-", 2)[2].removesuffix(".whl"), f"{wheel.stat().st_size / 1e6:.1f} MB"]
        cells += [str(found["native"]), str(found["licences"]), f"`{json.dumps(found['answer'])}`"]
        cells += [str(found["beside"])] if host else []
        print(f"{name}: built in {seconds:.1f} s", file=sys.stderr)
        shutil.rmtree(folder / "project", ignore_errors=True)
        return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Read the words and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--level", default="instant")
    parser.add_argument("--target", default="linux_2_28_x86_64")
    parser.add_argument("names", nargs="*", default=list(ROWS))
    options = parser.parse_args()
    head = ["of", "carried", "tag", "size", "native modules loaded", "licence files", "answer"]
    head += ["beside"] if options.target == "linux_2_28_x86_64" else []
    print("| " + " | ".join(head) + " |\n| " + " | ".join("---" for _ in head) + " |", flush=True)
    failed = False
    for name in options.names:
        try:
            print(row(name, options.target, options.level), flush=True)
        except NotThereError as error:  # noqa: PERF203 - each row is minutes of work
            print(f"| {name} | runs there neither carried nor plain: {error} |", flush=True)
        except (RuntimeError, AssertionError, ValueError) as error:
            failed = True
            print(f"| {name} | failed |", flush=True)
            print(f"{name}: {str(error)[-2000:]}", file=sys.stderr)
    sys.exit(failed)


if __name__ == "__main__":
    main()
