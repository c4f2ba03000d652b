"""What a compiled package has to do as it does interpreted.

Every public function whose name begins with ``answer_`` answers one question; ``answers.py`` two folders up asks them.
"""

from __future__ import annotations

__version__ = "1.0"
__all__ = ["__version__", "answer_package"]

loaded: list[str] = []


def __getattr__(name: str) -> object:
    if name == "lazy":
        loaded.append(name)
        return "made on demand"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), "lazy"])


def answer_package() -> object:
    import os
    import sys

    module = sys.modules[__name__]
    spec = module.__spec__
    return {
        "name": __name__,
        "package": __package__,
        "doc": __doc__.splitlines()[0],
        "path": [os.path.basename(each) for each in __path__],
        "file": os.path.basename(os.path.dirname(__file__)),
        "stem": os.path.basename(__file__).split(".")[0],
        "spec": [spec.name, spec.parent, spec.has_location, len(spec.submodule_search_locations)],
        "loader": module.__loader__ is spec.loader,
    }
