"""A child process that turns a person's own ``.pyx`` files into C with Cython, one request per line.

Started as a script by `pypackpack.backend.tools.pyx`; it must not import anything of pypackpack, so that starting it costs
Cython's import and nothing else.

Request: ``{"path": "pkg/mod.pyx", "module": "pkg.mod", "sources": {path: <base64>}, "packages": ["pkg"], "cplusplus": false}``.
Answer: ``{"files": {path: <base64>}}``, the C and the headers that Cython writes for ``public`` and ``api``; or ``{"errors":
[[file, line, column, message], …]}``; or ``{"errno": n, "trouble": text}`` when it is this machine that cannot do it. To
``{"folder": ...}``, which it works in from then on, it answers ``{"cython": "3.1.0"}``.

Each request has a folder of its own with these sources and no others: what Cython can ``cimport`` and include is what the
request has, and what Cython itself brings.
"""

from __future__ import annotations

import sys

from cython_common import below, lined
from cython_lexicon import Tables

sys.path.pop(0)  # the folder of this script: nothing in it may shadow a module that Cython imports
_standard = list(sys.path)
sys.path.append(sys.argv[1])  # where Cython is; started with -S, there is nothing else but the standard library
tables = Tables(sys.argv[2] if len(sys.argv) > 2 else "")

import base64
import contextlib
import errno
import io
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

tables.keep()  # before Cython makes its own

import cython  # noqa: F401 - imported by Cython when it looks into a source, which it could not be later
from Cython import Utils, __version__
from Cython.Compiler import Errors, Main, Options

sys.path[:] = _standard  # Cython looks for .pxd files there, and what somebody has installed is in no key

PLACE = re.compile(r"^(?P<file>[^:\n]+\.(?:pyx|pxd|pxi)):(?P<line>\d+):(?P<column>\d+): (?P<message>.*)$", re.MULTILINE)


def stage(request: dict[str, Any], folder: Path) -> None:
    """Write the sources of a request."""
    for package in request["packages"]:
        folder.joinpath(package).mkdir(parents=True, exist_ok=True)
        folder.joinpath(package, "__init__.py").touch()
    for name, content in request["sources"].items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(base64.b64decode(content))


def transcompile(request: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Answer one request in an empty folder, which is the current one."""
    source = request["path"]
    stem = source.removesuffix(".pyx")
    c_file = Path(stem + (".cpp" if request["cplusplus"] else ".c"))
    words = io.StringIO()
    errors: list[list[Any]] = []
    tables.whole([request["module"].encode(), *map(base64.b64decode, request["sources"].values())])
    try:
        stage(request, folder)
        # Cython remembers which folders are packages and what files hold; another request had others.
        Utils.clear_function_caches()
        with contextlib.redirect_stderr(words), contextlib.redirect_stdout(words):
            options = Main.CompilationOptions(
                Main.default_options,
                output_file=os.fspath(c_file),
                cplus=request["cplusplus"],
                use_listing_file=0,
                emit_linenums=True,
            )
            result = Main.compile_single(source, options, full_module_name=request["module"])
        if result.num_errors:
            errors = parse(words.getvalue(), source)
    except Errors.CompileError as error:
        errors = parse(str(error), source)
    except OSError as error:  # a full disk says nothing about the module
        return {"errno": error.errno or 0, "trouble": error.strerror or str(error)}
    except MemoryError:
        return {"errno": errno.ENOMEM, "trouble": os.strerror(errno.ENOMEM)}
    except Exception as error:  # noqa: BLE001 - a crash of the compiler is an answer about this module, not our end
        errors = [[source, 0, 0, f"the compiler crashed: {type(error).__name__}: {error}"]]
    if errors or not c_file.exists():
        return {"errors": errors or [[source, 0, 0, words.getvalue().strip() or "no C was written"]]}
    c_file.write_bytes(lined(c_file.read_bytes(), c_file.as_posix()))
    made = [c_file, Path(f"{stem}.h"), Path(f"{stem}_api.h")]
    return {"files": {each.as_posix(): base64.b64encode(each.read_bytes()).decode() for each in made if each.exists()}}


def parse(text: str, source: str) -> list[list[Any]]:
    """Read Cython's printed errors: ``path:line:column: message``."""
    found = [
        [place["file"], int(place["line"]), int(place["column"]), place["message"].strip()]
        for place in PLACE.finditer(text)
        if not place["file"].startswith("warning:")
    ]
    return found or [[source, 0, 0, text.strip()]]


def main() -> None:
    """Answer until stdin ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever prints must not mix with the answers
    # The source line above each statement triples the size of the C, and nobody keeps it.
    Options.emit_code_comments = False
    Main.Context.find_include_file = below(Main.Context.find_include_file)
    home = Path.cwd()
    for number, line in enumerate(sys.stdin.buffer):
        request = json.loads(line)
        if "folder" in request:
            home = Path(request["folder"])
            os.chdir(home)
            answer = {"cython": __version__}
        else:
            folder = home / str(number)
            folder.mkdir()
            os.chdir(folder)
            answer = transcompile(request, folder)
            os.chdir(home)
            shutil.rmtree(folder, ignore_errors=True)
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    main()
