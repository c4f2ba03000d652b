"""Compilers whose C is known of one series of versions only: which is installed, and what is said of the others."""

from __future__ import annotations

from pypackpack.backend import distributions
from pypackpack.model.errors import MissingToolError


def pinned(compiler: str, series: tuple[int, int], name: str, install: str, maker: str = "") -> distributions.Installed:
    """Return the installed distribution of a compiler.

    Args:
        compiler: The word of the settings.
        series: The version X.Y that was tried.
        name: The distribution, as its makers write it.
        install: How to get one that fits, up to the semicolon of a hint.
        maker: What of it makes the C, where that has another name.

    Raises:
        MissingToolError: There is none, or one of a version that nobody tried.
    """
    from importlib.metadata import PackageNotFoundError  # noqa: PLC0415 - import cost

    hint = f'{install}; or set compiler = "cython".'
    try:
        installed = distributions.find(name.lower())
    except PackageNotFoundError as error:
        msg = f'compiler = "{compiler}" needs {name}, which is not installed beside pypackpack'
        raise MissingToolError(msg, hint=hint) from error
    found = tuple(int(part) for part in installed.version.split(".")[:2] if part.isdigit())
    if found != series:
        age = "too old" if found < series else "newer than what was tried"
        wanted = ".".join(map(str, series))
        msg = f"{name} {installed.version} in {installed.place} is {age}: pypackpack knows the C of {maker or name} {wanted}"
        raise MissingToolError(msg, hint=hint)
    return installed
