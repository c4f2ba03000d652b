"""The audit of a wheel that was just made: would it run wherever its tags say that it does?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pypackpack.middleware.verify.modules import tag_problems
from pypackpack.middleware.verify.reading import native_files
from pypackpack.middleware.verify.wheel import audited, tags_of
from pypackpack.model.errors import AuditError

if TYPE_CHECKING:
    from pathlib import Path

_SHOWN: Final = 20


def audit(path: Path) -> None:
    """Look at the machine code of a wheel.

    Raises:
        AuditError: It needs what a machine with the wheel's tags need not have; all of it is named.
        DamagedArtifactError: It is damaged.
    """
    tags = tags_of(path.name)
    with path.open("rb") as stream:
        native, members = native_files(stream, path)
    lies = tuple(problem for file in native for problem in tag_problems(file, tags))
    problems = (*lies, *audited(native, tags, members).problems)
    if problems:
        first, *others = problems
        msg = f"{path.name} would not run wherever its tags say: {first}"
        hint = "Mend it, or build with --no-audit if you know where it goes."
        more = [f"and {len(others) - _SHOWN} more"] if len(others) > _SHOWN else []
        raise AuditError(msg, hint=hint, details="\n".join([*others[:_SHOWN], *more]))
