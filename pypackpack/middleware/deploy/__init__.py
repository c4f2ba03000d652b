"""``pypackpack deploy``: what a package is made of, to where its users get it from.

What goes (code, data files, weights) and where to (a package index, an update service) are one file each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.middleware.deploy import fasttrack, index, resource, weight
from pypackpack.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Protocol

    from pypackpack.model.build import Watcher
    from pypackpack.model.deploy import DeployRequest, DeployResult

    class Destination(Protocol):
        """A module that brings a package's code to one kind of place."""

        def deploy(self, request: DeployRequest, watcher: Watcher) -> DeployResult:
            """Send what the request means, or with its ``dry_run`` say what would be sent."""


SERVICES: Mapping[str, Destination] = {"fasttrack": fasttrack}
"""Places that are no package index, by the word after ``--to``."""


def deploy_source(request: DeployRequest, watcher: Watcher) -> DeployResult:
    """Bring a package's code to where ``request.to`` says.

    Raises:
        UsageError: The request is wrong, or what it means must not go there.
        NotYetError: The service is not there yet.
        PackageIndexError: The index is out of reach, does not let us in, or does not take a file.
    """
    return SERVICES.get(request.to, index).deploy(request, watcher)


KINDS: Mapping[str, Callable[[DeployRequest, Watcher], DeployResult]] = {
    "source": deploy_source,
    "resource": resource.deploy,
    "weight": weight.deploy,
}
"""What goes, by the word after the package."""


def deploy(kind: str, request: DeployRequest, watcher: Watcher) -> DeployResult:
    """Bring what a package is made of to where its users get it from (same errors as `deploy_source`)."""
    if kind not in KINDS:
        msg = f"deploy: {kind!r} is not one of {', '.join(KINDS)}"
        raise UsageError(msg, hint=f"Write `pypackpack deploy {request.package} source --to pypi`.")
    return KINDS[kind](request, watcher)
