"""``pypackpack version``: two lines, without importing anything that Python has not loaded already."""

import os
import sys

from pypackpack import __version__
from pypackpack.frontend.cli.style import emit


def uv_version() -> str:
    """Return the version of the uv that pypackpack uses, or an empty text when there is none.

    The wheel's ``uv-<version>.dist-info`` folder next to the package says it (PEP 376); importing
    ``importlib.metadata`` or starting uv would cost more than the rest of the answer.
    """
    for place in sys.path:
        try:
            names = [entry.name for entry in os.scandir(place or ".")]
        except OSError:
            continue
        if "uv" not in names:
            continue
        for name in names:
            if name.startswith("uv-") and name.endswith(".dist-info"):
                return name[len("uv-") : -len(".dist-info")]
    return _asked_uv()


def _asked_uv() -> str:
    from pypackpack.backend.tools import uv  # noqa: PLC0415 - only when no wheel of it is here
    from pypackpack.model.errors import PyPackPackError  # noqa: PLC0415 - only when no wheel of it is here

    try:
        return uv.version()
    except PyPackPackError:
        return ""


def show_version() -> int:
    """Print the versions and return the exit code."""
    found = uv_version() or "not found"
    return emit(f"pypackpack {__version__}\nuv {found}\n")
