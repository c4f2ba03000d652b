"""Runs inside Pyodide: one Python file as ``__main__``, with what ``python file.py`` does around it.

The standard library's parts of a Python's start and end that an embedding leaves out: ``sys.argv``, ``sys.path``,
the meaning of ``SystemExit``, the traceback, ``atexit``, flushing. Top-level ``await`` is allowed, since not every
node can run ``asyncio.run`` there.
"""

from __future__ import annotations

import ast
import atexit
import inspect
import json
import os
import sys
import traceback
from pathlib import Path

_FAILED = 1


async def main(job_text: str) -> int:
    """Run the job (JSON: ``file``, ``args``, ``paths``, ``cwd``) and return the exit code."""
    job = json.loads(job_text)
    os.chdir(job["cwd"])
    sys.argv[:] = [job["file"], *job["args"]]
    sys.path[:] = [*job["paths"], *(entry for entry in sys.path if entry)]
    scope = sys.modules["__main__"].__dict__
    scope["__file__"] = job["file"]
    try:
        await _execute(_read(job["file"]), job["file"], scope)
        code = 0
    except SystemExit as end:
        code = _exit_code(end)
    except BaseException as error:  # noqa: BLE001 - the interpreter's own last resort, too, catches everything
        _print(error, job["file"])
        code = _FAILED
    # The one way to run what was registered before the interpreter ends; here it never ends by itself.
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


async def _execute(source: bytes, file: str, scope: dict[str, object]) -> None:
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code = compile(source, file, "exec", flags=flags, dont_inherit=True)
    result = eval(code, scope)  # noqa: S307 - running this code is what was asked for
    if code.co_flags & inspect.CO_COROUTINE:
        await result


def _read(file: str) -> bytes:
    return Path(file).read_bytes()


def _exit_code(end: SystemExit) -> int:
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code & 0xFF
    sys.stderr.write(f"{end.code}\n")
    return _FAILED


def _print(error: BaseException, file: str) -> None:
    # The frames above the file's own are this module's and Pyodide's.
    frame = error.__traceback__
    while frame and frame.tb_frame.f_code.co_filename != file:
        frame = frame.tb_next
    traceback.print_exception(type(error), error, frame)
