"""The one family of errors.

Every error that a person can cause or meet is a `PyPackPackError`: a stable ``code`` (documented in
``docs/reference/errors.md``), the facts in ``message``, and in ``hint`` one sentence on what to do. Only
``frontend/cli/main.py`` turns them into text and an exit code.
"""

from __future__ import annotations

import sys
from typing import ClassVar

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_MISSING = 3
EXIT_INTERRUPTED = 130


def add_note(error: BaseException, text: str) -> None:
    """Attach a note to an error (PEP 678), which is shown with its details; Python 3.10 has no method for it."""
    if sys.version_info >= (3, 11):
        error.add_note(text)
    else:
        vars(error).setdefault("__notes__", []).append(text)


class PyPackPackError(Exception):
    """An error with a code, the facts, and what to do about it.

    Args:
        message: What is wrong, naming the file, the key or the argument.
        hint: One sentence on what to do; empty when the message already says it.
        details: More lines to show as they are, such as an outside tool's own output.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = EXIT_FAILED

    def __init__(self, message: str, *, hint: str = "", details: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details


class WorkError(PyPackPackError):
    """The work was understood and started, and failed."""

    code = "work-failed"


class SourceError(WorkError):
    """A source file cannot be used: syntax, encoding, or two files for one module."""

    code = "bad-source"


class ToolError(WorkError):
    """An outside tool ended with an error; its words are in ``details``."""

    code = "tool-failed"


class FilesystemError(WorkError):
    """A file or folder cannot be read or written."""

    code = "filesystem"


class ConflictError(WorkError):
    """Somebody else changed, or is changing, what we work on."""

    code = "conflict"


class LostError(WorkError):
    """The cache lost something while it was in use; what it came from is made again by the next run.

    Args:
        digest: The SHA-256 of what is gone.
    """

    code = "cache-lost"

    def __init__(self, message: str, *, digest: str = "", hint: str = "Run the same command again.", details: str = "") -> None:
        super().__init__(message, hint=hint, details=details)
        self.digest = digest


class TasksFailedError(WorkError):
    """Several tasks of a build failed; ``details`` has what each said.

    Args:
        failures: Name of a task and its error; of tasks that are the very same, and failed together, their names.
    """

    code = "tasks-failed"

    def __init__(
        self, message: str, *, failures: tuple[tuple[str, PyPackPackError], ...] = (), hint: str = "", details: str = ""
    ) -> None:
        super().__init__(message, hint=hint, details=details)
        self.failures = failures


class OutOfSyncError(WorkError):
    """An environment is not what its lock says: the answer of ``sync --check``."""

    code = "out-of-sync"


class NoSuchDependencyError(WorkError):
    """The package index, or the place that was named, has no distribution, or no version of it, that was asked for."""

    code = "no-such-dependency"


class NoWheelError(WorkError):
    """A dependency has no wheel for a target."""

    code = "no-wheel"


class DependencyConflictError(WorkError):
    """Dependencies exclude each other."""

    code = "dependency-conflict"


class PackageIndexError(WorkError):
    """The package index is out of reach, or does not let us in."""

    code = "index-out-of-reach"


class DamagedLockError(WorkError):
    """A lock file that cannot be read."""

    code = "damaged-lock"


class NewerLockError(WorkError):
    """A lock file that a newer pypackpack, or a newer uv, has written."""

    code = "newer-lock"


class DamagedVendorError(WorkError):
    """A wheel in ``vendor/`` is not the one that the lock names."""

    code = "damaged-vendor"


class DamagedArtifactError(WorkError):
    """A file that should be an artifact, such as a wheel, is damaged, or holds what no artifact holds."""

    code = "damaged-artifact"


class UntrustedArtifactError(WorkError):
    """An artifact is another one than was expected, or comes from somebody else."""

    code = "untrusted-artifact"


class AuditError(WorkError):
    """A wheel that was made needs what machines with its tags need not have; it was not put in its place."""

    code = "audit-failed"


class UsageError(PyPackPackError):
    """The words of the call are wrong."""

    code = "usage"
    exit_code = EXIT_USAGE


class UnknownTargetError(UsageError):
    """A target name that the table does not have."""

    code = "unknown-target"


class RequirementsFileError(UsageError):
    """A requirements file, or a line in it, cannot be read or taken; ``details`` has one line per problem."""

    code = "bad-requirements"


class NameTakenError(UsageError):
    """A package or project name that cannot be used."""

    code = "bad-name"


class NoProjectError(UsageError):
    """The command needs a project (or package) and stands in none."""

    code = "no-project"


class SettingsError(PyPackPackError):
    """Wrong settings in a pyproject.toml; ``details`` has one line per problem."""

    code = "bad-settings"
    exit_code = EXIT_USAGE


class MissingToolError(PyPackPackError):
    """A tool or platform requirement is not there."""

    code = "missing-tool"
    exit_code = EXIT_MISSING


class NotYetError(PyPackPackError):
    """A documented word of the command line whose work is not there yet."""

    code = "not-yet"
    exit_code = EXIT_MISSING
