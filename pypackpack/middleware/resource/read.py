"""What people ask of ``.resource`` archives, with errors of our family."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from pypackpack.backend import filesystem
from pypackpack.client.resource import ResourceError, UnsupportedResourceError, open_resource
from pypackpack.client.resource_update import difference
from pypackpack.model.errors import DamagedArtifactError, MissingToolError, UsageError
from pypackpack.model.resource import ResourceChange, ResourceFacts, ResourceMember

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pypackpack.client.resource import Resource


def show(archive: Path, *, whole: bool = False) -> ResourceFacts:
    """Return what an archive says of itself.

    Args:
        archive: Its file.
        whole: Also read every file in it, and compare it with its digest.

    Raises:
        UsageError: It is not there.
        DamagedArtifactError: It is damaged, or no archive.
        MissingToolError: It is for a newer pypackpack.
        FilesystemError: It cannot be read.
    """
    with _opened(archive) as resource:
        if whole:
            resource.verify()
        return _facts(archive, resource)


def compare(old: Path, new: Path) -> ResourceChange:
    """Return what separates an archive from the next one, and what whoever has it has to fetch (errors as `show`)."""
    with _opened(old) as before, _opened(new) as after:
        found = difference([before.index], after.index)
        facts = (_facts(old, before), _facts(new, after))
        return ResourceChange(*facts, found.added, found.removed, found.changed, found.chunks[0], found.fetch)


@contextlib.contextmanager
def _opened(archive: Path) -> Iterator[Resource]:
    """Open an archive; the client's errors become ours."""
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


def _facts(archive: Path, resource: Resource) -> ResourceFacts:
    index, manifest = resource.index, resource.index.manifest
    return ResourceFacts(
        archive,
        index.length,
        manifest.name,
        manifest.version,
        manifest.package,
        manifest.tag,
        index.identity,
        sum(each.size for each in resource),
        sum(not each.repeated for each in index.chunks()),
        tuple(ResourceMember(each.path, each.size, each.sha256) for each in resource),
    )
