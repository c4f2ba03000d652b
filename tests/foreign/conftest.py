"""Fixtures for tests that run what was built on real foreign Pythons."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# This folder is no package: its modules are also the parts of the script provide.py, which runs by itself.
if (_here := str(Path(__file__).resolve().parent)) not in sys.path:
    sys.path.insert(0, _here)

from pythons import find, real_headers

if TYPE_CHECKING:
    from typing import NoReturn, Protocol

    from pythons import ForeignPython, Headers

    class PythonOf(Protocol):
        """Gives the Python of a target, and of X.Y if said."""

        def __call__(self, target: str, python: tuple[int, int] | None = None) -> ForeignPython:
            """Return it, or end the test."""

    class HeadersOf(Protocol):
        """Gives the real headers of a target, and of X.Y if said."""

        def __call__(self, target: str, python: tuple[int, int] | None = None) -> Headers:
            """Return them, or end the test."""


# Its asserts shall say what they compared, as those of the tests that call it.
pytest.register_assert_rewrite("statics")


def _missing(what: str, target: str, python: tuple[int, int] | None) -> NoReturn:
    """Skip the test; in CI fail it, since there a test that does not run proves nothing to anybody."""
    name = f"{target}-{python[0]}.{python[1]}" if python else target
    sentence = (
        f"no {what} of {name} on this machine: run `python tests/foreign/provide.py {target}` "
        "(--list says which versions there are, and it says what it could not make)"
    )
    if os.environ.get("CI"):
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


@pytest.fixture(scope="session")
def foreign_python() -> PythonOf:
    """Function (target, python=None) → ForeignPython; skips the test when it is missing, and fails it in CI."""

    def need(target: str, python: tuple[int, int] | None = None) -> ForeignPython:
        return find(target, python) or _missing("foreign Python", target, python)

    return need


@pytest.fixture(scope="session")
def foreign_headers() -> HeadersOf:
    """Function (target, python=None) → Headers; skips the test when they are missing, and fails it in CI."""

    def need(target: str, python: tuple[int, int] | None = None) -> Headers:
        for headers in real_headers():
            if headers.target == target and python in {None, headers.version[:2]}:
                return headers
        return _missing("real headers", target, python)

    return need
