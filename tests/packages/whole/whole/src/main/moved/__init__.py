"""A package with a second folder in its __path__."""

import os

__path__.append(os.path.join(os.path.dirname(__file__), "elsewhere"))

from . import hidden


def answer_hidden():
    import pkgutil

    return hidden.VALUE, hidden.__file__, hidden.__name__, hidden.__spec__.name, [name for _, name, _ in pkgutil.iter_modules(__path__)]
