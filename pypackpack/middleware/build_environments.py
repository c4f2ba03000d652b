"""The environments that compiling looks into: what `include-packages` names is read where the target's dependencies are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pypackpack.middleware.build import Order
    from pypackpack.model.build import Watcher
    from pypackpack.model.project import Package
    from pypackpack.model.target import Target


def including(order: Order) -> tuple[tuple[Package, tuple[Target, ...]], ...]:
    """Return the packages whose code uses headers of installed ones, and on which targets; none where nothing is compiled."""
    if not order.compiles:
        return ()
    wanted = ((each, tuple(on for on in order.targets if each.settings(on).include_packages)) for each in order.members)
    return tuple((package, targets) for package, targets in wanted if targets)


def synchronise(order: Order, watcher: Watcher) -> None:
    """Make the environments that compiling looks into what the locks say.

    Raises:
        PyPackPackError: Something cannot be resolved or installed.
    """
    for package, targets in including(order):
        from pypackpack.middleware.environment.sync import sync  # noqa: PLC0415 - most packages include nothing

        synced = sync(
            order.project,
            (package,),
            tuple(target.name for target in targets),
            pythons=tuple(python.series for python in order.pythons),
            offline=order.request.offline,
            watcher=watcher,
        )
        for name in synced.locked:  # a file that is committed has changed
            watcher.note(f"locked {name}")
