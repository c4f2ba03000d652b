"""The build backend: the hooks of PEP 517 (wheels, sdists) and PEP 660 (editable installations).

A package's or a project's ``pyproject.toml`` names it::

    [build-system]
    requires = ["pypackpack>=0.3"]
    build-backend = "pypackpack.build_api"

pip, build and uv call the hooks in the folder of that file, in an environment of their own. ``config_settings``, which they take
as ``-C key=value``:

* ``level``: ``instant``, ``bytecode`` or ``native``; without it ``[tool.pypackpack.hooks] level``, else ``instant``;
* ``type``: ``debug`` or ``release``; without it ``[tool.pypackpack.hooks] type``, else ``release``;
* ``target``: the platform of the wheel; without it this machine;
* ``siblings``: how other packages of the project are required: ``repository`` (in git, at the commit that is checked out; the
  default) or ``version`` (``name==version``, for an index, which takes no URLs).

An error is written to stderr as on the command line, and the process ends with its exit code.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pypackpack.model.build import Step

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]


class _Stderr:
    """A watcher that writes notes for the person whose frontend shows them."""

    def step(self, event: Step) -> None:
        """Show nothing: frontends keep the output back unless something fails."""

    def note(self, text: str) -> None:
        """Write one line."""
        sys.stderr.write(f"pypackpack: {text}\n")


@contextlib.contextmanager
def _explained() -> Iterator[_Stderr]:
    """Give a watcher, and write an error as the command line does: a frontend would show a traceback."""
    from pypackpack.model.errors import PyPackPackError  # noqa: PLC0415 - import cost

    try:
        yield _Stderr()
    except PyPackPackError as error:
        from pypackpack.frontend.cli.errors import error_lines  # noqa: PLC0415 - import cost

        sys.stderr.write("\n".join(error_lines(error)) + "\n")
        sys.stderr.flush()
        raise SystemExit(error.exit_code) from error


def build_wheel(
    wheel_directory: str, config_settings: Mapping[str, object] | None = None, metadata_directory: str | None = None
) -> str:
    """Build a wheel into a directory and return its file name."""
    from pypackpack.middleware import hooks  # noqa: PLC0415 - import cost

    del metadata_directory  # the same metadata again costs less than to compare it
    with _explained() as watcher:
        settings = hooks.checked_settings(config_settings, watcher)
        return hooks.wheel(Path.cwd(), Path(wheel_directory), settings, watcher)
    raise AssertionError


def build_sdist(sdist_directory: str, config_settings: Mapping[str, object] | None = None) -> str:
    """Write an sdist into a directory and return its file name."""
    from pypackpack.middleware import hooks  # noqa: PLC0415 - import cost

    with _explained() as watcher:
        return hooks.sdist(Path.cwd(), Path(sdist_directory), hooks.checked_settings(config_settings, watcher))
    raise AssertionError


def build_editable(
    wheel_directory: str, config_settings: Mapping[str, object] | None = None, metadata_directory: str | None = None
) -> str:
    """Write the wheel of an editable installation into a directory and return its file name."""
    from pypackpack.middleware import hooks  # noqa: PLC0415 - import cost

    del metadata_directory  # as in build_wheel
    with _explained() as watcher:
        return hooks.editable(Path.cwd(), Path(wheel_directory), hooks.checked_settings(config_settings, watcher), watcher)
    raise AssertionError


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: Mapping[str, object] | None = None) -> str:
    """Write the ``.dist-info`` folder that the wheel would have into a directory and return its name; nothing is built."""
    return _metadata(metadata_directory, config_settings, for_editable=False)


def prepare_metadata_for_build_editable(metadata_directory: str, config_settings: Mapping[str, object] | None = None) -> str:
    """Write the ``.dist-info`` folder that the editable wheel would have into a directory and return its name."""
    return _metadata(metadata_directory, config_settings, for_editable=True)


def _metadata(directory: str, config_settings: Mapping[str, object] | None, *, for_editable: bool) -> str:
    from pypackpack.middleware import hooks  # noqa: PLC0415 - import cost

    with _explained() as watcher:
        settings = hooks.checked_settings(config_settings, watcher)
        return hooks.metadata(Path.cwd(), Path(directory), settings, for_editable=for_editable)
    raise AssertionError


def get_requires_for_build_wheel(config_settings: Mapping[str, object] | None = None) -> list[str]:
    """Return what a wheel needs besides pypackpack: nothing (the C compiler is fetched into the user's cache when needed)."""
    del config_settings
    return []


get_requires_for_build_sdist = get_requires_for_build_wheel
get_requires_for_build_editable = get_requires_for_build_wheel
