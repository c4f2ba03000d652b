"""Weights of models, to a service that serves them: its place is here, its server comes later."""

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
        "`pypackpack deploy … weight` is not there yet",
        hint="Weights are data files: `build … resource` makes an archive of them, for a server of your own.",
    )
