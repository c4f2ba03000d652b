"""Running a wheel before it goes: installed with its dependencies into an environment of its own, and imported there.

What is imported: the package, and each of its extension modules, the ones that a platform may refuse.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.tags import compatible_tags, cpython_tags, platform_tags
from packaging.utils import parse_wheel_filename

from pypackpack.backend import filesystem, process
from pypackpack.backend.tools import uv, uv_publish, venv
from pypackpack.middleware.deploy.wheels import release_files
from pypackpack.middleware.package.order import in_order
from pypackpack.model.errors import ToolError, WorkError
from pypackpack.model.inspection import EXTENSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pypackpack.model.build import Watcher
    from pypackpack.model.deploy import Release
    from pypackpack.model.project import Package, Project
    from pypackpack.model.target import PythonVersion

SECONDS = 300
# A module may want an extra that is not installed here; that one of our own is missing is another matter.
_IMPORT = """\
import importlib, sys
own, names = sys.argv[1], sys.argv[1:]
for name in names:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if name == own or (error.name or own).partition(".")[0] == own:
            raise
"""


def runs_here(release: Release) -> bool:
    """Tell whether a Python on this machine can import a wheel, as far as its platform goes."""
    return bool({"any", *platform_tags()} & set(release.platforms))


def run(project: Project, package: Package, release: Release, watcher: Watcher) -> None:
    """Install a wheel into an environment made for it, and import what is in it.

    Raises:
        WorkError: It cannot be installed or imported; what was said is in the details.
        MissingToolError: Its Python is not here and cannot be fetched.
    """
    python = uv.find_python(_python(project, package, release), watcher=watcher)
    with filesystem.scratch_folder(filesystem.cache_folder()) as scratch:
        folder = scratch / "trial"
        uv.make_venv(folder, python.executable)
        words: list[str | Path] = ["pip", "install", "--python", venv.interpreter(folder)]
        secrets = dict.fromkeys(uv_publish.logins())
        words += [release.path, *_siblings(project, package, release, python.series)]
        try:
            uv.run(words, f"installing {release.path.name}", cwd=project.root, changes=secrets)
        except ToolError as error:
            raise _failed(release, "cannot be installed", error) from error
        names = [package.import_name, *_extensions(release, package.import_name)]
        command: list[str | Path] = [venv.interpreter(folder), "-I", "-c", _IMPORT, *names]
        try:
            process.checked(
                command, f"importing {package.import_name}", cwd=scratch, env=uv.environment(secrets), timeout=SECONDS
            )
        except ToolError as error:
            raise _failed(release, "cannot be imported", error) from error


def _failed(release: Release, what: str, error: ToolError) -> WorkError:
    msg = f"{release.path.name} {what} on this machine, so nothing was uploaded"
    if uv.out_of_reach(error.details):
        return WorkError(msg, hint="Its dependencies come from the network: try while online.", details=error.details)
    return WorkError(
        msg, hint="An index never takes a file back: mend it, or raise the version, and build it again.", details=error.details
    )


def _python(project: Project, package: Package, release: Release) -> str:
    """Return the Python to try a wheel with: the one it was built for, else one that the package is for."""
    exact = re.fullmatch(r"cp3(\d+)", release.python)
    if exact:
        return f"3.{exact[1]}"
    if package.pythons:
        return "{}.{}".format(*package.pythons[0])
    own = venv.interpreter(project.venv)
    return str(own) if own.exists() else package.requires_python or project.requires_python or "3"


def _siblings(project: Project, package: Package, release: Release, python: PythonVersion) -> Iterator[Path]:
    """Yield a release wheel of each of the project's packages that this one needs, as far as there is one that fits.

    They are named by their files: by name, an index could answer with somebody else's code.
    """
    platforms = list(platform_tags())
    own = f"cp{python[0]}{python[1]}"
    fitting = [*cpython_tags(python, platforms=platforms), *compatible_tags(python, own, platforms)]
    for other in in_order(project, (package,)):
        if other.name == package.name:
            continue
        wheels = release_files(other, first=release.path.parent.name)
        fits = (wheel for wheel in wheels if not parse_wheel_filename(wheel.name)[3].isdisjoint(fitting))
        if (found := next(fits, None)) is not None:
            yield found


def _extensions(release: Release, own: str) -> list[str]:
    from pypackpack.middleware.inspect.wheel import inspect_wheel  # noqa: PLC0415 - only where a wheel is run

    modules = [module.module for module in inspect_wheel(release.path).modules if module.form == EXTENSION]
    return [name for name in modules if name != own and name.partition(".")[0] == own and not name.endswith(".__main__")]
