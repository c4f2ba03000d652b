"""Imported by name only."""

import importlib
import importlib.util
import os
import pkgutil
import sys


def shown(path):
    import whole

    return os.path.relpath(path, os.path.dirname(whole.__file__)).replace(os.sep, "/")


def stem(path):
    return shown(path).partition(".")[0]


def answer_specs():
    names = ["whole.first", "whole.sub", "whole.sub.first", "whole.sub.deeper", "whole.sub.deeper.first", "whole.space.far"]
    found = []
    for name in [*names, "whole.left", "whole.refused"]:
        module = importlib.import_module(name)
        spec = module.__spec__
        found.append(
            [
                module.__name__,
                module.__package__,
                spec.name,
                spec.parent,
                stem(spec.origin),
                stem(module.__file__),
                spec.has_location,
                module.__loader__ is spec.loader,
                spec.loader.is_package(name),
                [shown(path) for path in getattr(module, "__path__", ())],
                [shown(path) for path in spec.submodule_search_locations or ()],
                sys.modules[name] is module,
            ]
        )
    return found


def answer_namespace():
    import whole.space

    return whole.space.__name__, [shown(path) for path in whole.space.__path__], getattr(whole.space, "__file__", None)


def answer_walk():
    import whole
    import whole.sub

    walked = [(name, package) for _, name, package in pkgutil.walk_packages(whole.__path__, "whole.")]
    return walked, [(name, package) for _, name, package in pkgutil.iter_modules(whole.sub.__path__)]


def answer_find():
    specs = [importlib.util.find_spec(name) for name in ("whole.sub.first", "whole.nothing")]
    return [spec and spec.name for spec in specs]


def answer_missing():
    try:
        importlib.import_module("whole.sub.nothing")
    except ModuleNotFoundError as error:
        return str(error), error.name
    return None


def answer_reload():
    import whole.sub.first as before

    importlib.invalidate_caches()
    after = importlib.reload(before)
    return after is before, after.back(), sys.modules["whole.sub.first"] is after


def answer_on_disk():
    import whole.left
    import whole.refused

    return whole.left.LEFT, next(whole.refused.average())
