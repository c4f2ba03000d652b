"""__file__ and data files."""

from __future__ import annotations

import importlib
import importlib.resources
import os
import pkgutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
SPEC, LOADER = __spec__, __loader__
FILES = importlib.resources.files(__package__)  # by the loader, while the code runs


def answer_same_spec_and_loader() -> object:
    return [SPEC is __spec__, LOADER is __loader__, LOADER is SPEC.loader, SPEC.origin == __file__, (FILES / "data").is_dir()]


def answer_file() -> object:
    path = Path(__file__)
    return [path.parent.name, path.name.split(".")[0], path.is_absolute(), path.is_file(), HERE.samefile(os.path.dirname(path))]


def answer_file_of_others() -> object:
    from behaviour import inner

    return [Path(inner.__file__).parent.name, Path(inner.__file__).name.split(".")[0], sys.modules["behaviour.place"].__file__ == __file__]


def answer_beside_file() -> object:
    return (HERE / "data" / "plain.txt").read_text(encoding="utf-8").splitlines()


def answer_resources() -> object:
    files = importlib.resources.files("behaviour")
    names = sorted(each.name for each in files.joinpath("data").iterdir())
    with importlib.resources.as_file(files / "data" / "plain.txt") as path:
        text = path.read_text(encoding="utf-8")
    return [names, text, files.joinpath("data", "bytes.bin").read_bytes().hex(), files.joinpath("data", "nothing").is_file()]


def answer_resources_by_module() -> object:
    from behaviour import inner

    return (importlib.resources.files(inner) / "note.txt").read_text(encoding="utf-8")


def answer_own_package_resources() -> object:
    return (importlib.resources.files(__package__) / "data" / "plain.txt").is_file()


def answer_pkgutil() -> object:
    return pkgutil.get_data("behaviour", "data/plain.txt").decode()


def answer_overlay_data() -> object:
    return [sys.platform, (importlib.resources.files("behaviour") / "data" / "system.txt").read_text(encoding="utf-8").strip()]


def answer_overlay_code() -> object:
    from behaviour import system

    return [system.NAME, system.describe()]


def answer_modules() -> object:
    import behaviour

    return sorted(info.name for info in pkgutil.iter_modules(behaviour.__path__))


def answer_spec() -> object:
    spec = importlib.util.find_spec("behaviour.place")
    return [spec.name, spec.parent, spec.has_location, spec.origin == __file__, __spec__.name, __name__, __package__]


def answer_import_again() -> object:
    module = sys.modules.pop("behaviour.inner.leaf", None) or importlib.import_module("behaviour.inner.leaf")
    sys.modules.pop("behaviour.inner.leaf", None)
    again = importlib.import_module("behaviour.inner.leaf")
    return [module.__name__ == again.__name__, again.VALUE]


def answer_run_as_main() -> object:
    import contextlib
    import io
    import runpy

    before = sys.argv
    sys.argv = ["behaviour", "one", "two"]
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            runpy.run_module("behaviour", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return [out.getvalue(), end.code]
    finally:
        sys.argv = before
    return "did not exit"
