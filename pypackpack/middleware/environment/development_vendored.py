"""The development environment from ``vendor/``: what ``uv sync`` does online, by a ``pylock.toml`` whose wheels are files."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.backend.tools import uv, uv_options, venv
from pypackpack.middleware.dependency.vendored import Where, vendor_folder, vendored
from pypackpack.middleware.dependency.wheels import host_platforms
from pypackpack.middleware.environment import development_project as works
from pypackpack.middleware.project.toml import read_toml
from pypackpack.model.errors import ToolError, WorkError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from pypackpack.middleware.environment.development import Said, Work
    from pypackpack.model.project import Project

_EXPORT = ("export", "--frozen", "--quiet", "--format", "pylock.toml", "--no-emit-project", "--no-header")
_REGISTRY = re.compile(r'^source = \{ registry = "(?P<path>[^"\\]*)" \}$', re.MULTILINE)


def usable(project: Project) -> bool:
    """Tell whether a project has vendored wheels."""
    return vendor_folder(project).is_dir()


def install(
    work: Work, groups: Iterable[str], options: Sequence[str], *, reinstall: Sequence[str] = (), frozen: bool = False
) -> Said:
    """Make ``.venv`` what the lock says without the network: from ``vendor/``, and for what is not there from uv's cache.

    Args:
        work: The environment, with what uv works on laid out.
        groups: Dependency groups besides the default ones.
        options: More options, as typed for ``uv sync``.
        reinstall: Distributions that are damaged.
        frozen: Do not look whether the lock still fits the settings.

    Raises:
        PyPackPackError: The lock does not fit, or something is not on this machine.
        DamagedVendorError: A wheel in ``vendor/`` is not what the lock says; nothing is changed.
    """
    if not frozen:
        locked = uv_options.has(options, "sync", ("--locked",))
        work.uv("sync", ["lock", *(["--locked"] if locked else [])], offline=True)
    known = uv_options.options("export")
    taken = [word for option in uv_options.grouped(options, "sync") if option[0].partition("=")[0] in known for word in option]
    words = [*(f"--group={name}" for name in groups), *taken]
    with _absolute(work.folder):
        # Paths of folders come out as seen from where uv stands, and are read from where the file lies.
        text = work.uv("sync", [*_EXPORT, "--directory", work.folder, *words], offline=True).stdout
    lock = work.folder / "pylock.toml"
    python = venv.version(work.project.venv) or (0, 0)
    where = Where(work.folder, work.project.root, host_platforms(), (python[0], python[1]))
    filesystem.fill_file(lock, vendored(text, vendor_folder(work.project), where).encode())
    sync: list[str | Path] = ["pip", "sync", "--preview-features", "pylock", "--offline", "--allow-empty-requirements", lock]
    sync += ["--python", venv.interpreter(work.project.venv), "--no-python-downloads"]
    sync += [f"--reinstall-package={name}" for name in reinstall]
    from pypackpack.middleware.environment.development import Said, explained  # noqa: PLC0415 - the two know each other

    try:
        done = uv.run(sync, f"`sync` of {work.project.name}", cwd=work.folder)
    except ToolError as error:
        raise explained(error, work.project.name, offline=True) from error
    return Said(done.stdout, done.stderr)


def exported(project: Project, python: Path) -> str:
    """Return the ``pylock.toml`` of the development environment on this machine, from the project's lock.

    ``.venv`` is neither needed nor touched.

    Args:
        project: The project.
        python: A Python that the project works with.

    Raises:
        WorkError: There is no lock, or it does not fit the settings any more.
    """
    from pypackpack.middleware.environment.development import LOCK  # noqa: PLC0415 - the two know each other

    path = project.root / LOCK
    hint = "Run `pypackpack sync` first, while online."
    if not path.is_file():
        msg = f"the project {project.name} has no lock yet"
        raise WorkError(msg, hint=hint)
    text = filesystem.read_bytes(path).decode(errors="replace").replace("\r\n", "\n")
    made = works.work_project(project)
    # Two folders below the project, as in .venv: paths in it are relative.
    with filesystem.scratch_folder(project.root, ".vendor-") as scratch:
        folder = scratch / "work"
        works.write_work_project(folder, made, text)
        own = project.root / "uv.toml"
        if own.is_file():
            filesystem.fill_file(folder / "uv.toml", works.settings_text(read_toml(own), project.root).encode())
        here: list[str | Path] = ["--python", python, "--no-python-downloads"]
        try:
            uv.run(["lock", "--check", "--quiet", *here], "checking the lock", cwd=folder)
        except ToolError as error:
            if uv.out_of_reach(error.details):
                raise
            msg = f"{path} does not fit the settings any more"
            raise WorkError(msg, hint=hint, details=error.details) from error
        words: list[str | Path] = [*_EXPORT, *(f"--group={name}" for name in made.groups), *here]
        with _absolute(folder):
            return uv.run(words, "exporting the lock", cwd=folder).stdout


@contextlib.contextmanager
def _absolute(folder: Path) -> Iterator[None]:
    """Give uv's lock absolute paths of local indexes for a while.

    Relative ones uv (0.13.8) reads from its cache folder when it exports, and finds nothing there.
    """
    path = folder / "uv.lock"
    before = filesystem.read_bytes(path)

    def absolute(found: re.Match[str]) -> str:
        place = found["path"]
        return found[0] if "://" in place else f'source = {{ registry = "{(folder / place).resolve().as_posix()}" }}'

    after = _REGISTRY.sub(absolute, before.decode())
    try:
        filesystem.write_scratch(path, after.encode())
        yield
    finally:
        filesystem.write_scratch(path, before)
