"""``RECORD`` of an installed distribution: rows of path, hash and size.

See https://packaging.python.org/specifications/recording-installed-packages/. What it says is somebody's, as the distribution is.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from pypackpack.model.errors import DamagedArtifactError

if TYPE_CHECKING:
    from pathlib import Path


def record_rows(data: bytes, place: Path | str) -> list[list[str]]:
    """Return the rows of a ``RECORD``; one that is empty has none, and letters that are not UTF-8 are replaced.

    Args:
        data: The file.
        place: What it is called, for the error.

    Raises:
        DamagedArtifactError: It is no table.
    """
    try:
        return [row for row in csv.reader(io.StringIO(data.decode(errors="replace"), newline="")) if row]
    except csv.Error as error:
        msg = f"{place} cannot be read: {error}"
        raise DamagedArtifactError(msg, hint="Use another version of that distribution.") from error
