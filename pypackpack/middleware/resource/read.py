"""Opening ``.resource`` archives, with errors of our family."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.client.resource import ResourceError, UnsupportedResourceError, open_resource
from pypackpack.model.errors import DamagedArtifactError, MissingToolError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pypackpack.client.resource import Resource


@contextlib.contextmanager
def opened(archive: Path) -> Iterator[Resource]:
    """Open an archive; errors of the client become ours, also those of what is done with it.

    Raises:
        UsageError: It is not there.
        DamagedArtifactError: It is damaged, or no archive.
        MissingToolError: It is for a newer pypackpack.
        FilesystemError: It cannot be read.
    """
    if not archive.is_file():
        msg = f"{archive} is not there" if not archive.exists() else f"{archive} is no file"
        raise UsageError(msg)
    with filesystem.explained("read", archive):
        try:
            with open_resource(archive) as resource:
                yield resource
        except UnsupportedResourceError as error:
            msg = f"{archive}: {error}"
            raise MissingToolError(msg, hint=error.hint) from error
        except ResourceError as error:
            msg = f"{archive}: {error}"
            raise DamagedArtifactError(msg, hint=error.hint) from error
