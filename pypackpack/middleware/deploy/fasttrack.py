"""FastTrack, the code update service: its place is here, its server comes later."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from pypackpack.model.errors import NotYetError

if TYPE_CHECKING:
    from pypackpack.model.build import Watcher
    from pypackpack.model.deploy import DeployRequest


def deploy(request: DeployRequest, watcher: Watcher) -> NoReturn:  # noqa: ARG001 - one form for every destination
    """Say that it is not there yet.

    Raises:
        NotYetError: Always.
    """
    raise NotYetError(
        "`pypackpack deploy … --to fasttrack` is not there yet",
        hint="Wheels go to an index (`--to pypi`), patches (`build … source patch`) to a server of your own.",
    )
