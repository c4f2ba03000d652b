"""Run every ``answer_*`` function of a package's modules and print one JSON: ``module.function`` -> answer.

    python answers.py <package>

The package is found on ``sys.path``; the same file asks its sources and its wheel. An answer is a value that JSON can
say; what a function raised is its answer too. ``@folder`` stands for the package's own folder in any text.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import os
import pkgutil
import sys


def told(value: object) -> object:
    """Return a value as JSON has it: tuples are lists, keys are text."""
    if isinstance(value, dict):
        return {str(key): told(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [told(each) for each in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return f"not JSON: {type(value).__name__}"


def ask(function: object) -> object:
    """Call a function (await what it gives back) and return its answer."""
    try:
        value = function()
        if inspect.isawaitable(value):

            async def wait() -> object:
                return await value

            value = asyncio.run(wait())
        return told(value)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        return {"raised": type(error).__name__, "message": str(error)}


def modules(package: str) -> list[str]:
    """Return the names of a package's modules, without ``__main__``."""
    top = importlib.import_module(package)
    found = [info.name for info in pkgutil.walk_packages(top.__path__, package + ".")]
    return [package, *sorted(name for name in found if not name.endswith("__main__"))]


def main() -> None:
    """Print the answers."""
    package = sys.argv[1]
    top = importlib.import_module(package)
    folder = os.path.dirname(os.path.abspath(top.__file__))
    result: dict[str, object] = {}
    files: dict[str, str] = {}
    for name in modules(package):
        try:
            module = importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - a module that cannot be imported is an answer
            result[f"{name}.import"] = {"raised": type(error).__name__, "message": str(error)}
            continue
        result[f"{name}.import"] = "imported"
        files[name] = os.path.basename(module.__file__)
        for key in sorted(vars(module)):
            if key.startswith("answer_"):
                result[f"{name}.{key.removeprefix('answer_')}"] = ask(getattr(module, key))
    text = json.dumps({"answers": result, "files": files, "version": list(sys.version_info[:3]), "platform": sys.platform})
    sys.stdout.write(text.replace(json.dumps(folder)[1:-1], "@folder") + "\n")


if __name__ == "__main__":
    main()
