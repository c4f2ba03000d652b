"""The plans of the packages that a build compiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.middleware.compile.abi import stable
from pypackpack.middleware.compile.layers import Layers
from pypackpack.middleware.compile.plan import PackagePlan
from pypackpack.model.build import Level

if TYPE_CHECKING:
    from pypackpack.middleware.build import Order
    from pypackpack.middleware.compile.layers import SourceFile
    from pypackpack.middleware.compile.workshop import Workshop


def plan_members(
    order: Order, shop: Workshop
) -> tuple[dict[str, PackagePlan], dict[tuple[str, str], tuple[SourceFile, ...]], dict[str, bool]]:
    """Plan what compiles the packages of an order.

    Returns:
        By package its plan; by package and target its files; by package whether these are the same on all of its targets.
    """
    plans: dict[str, PackagePlan] = {}
    files: dict[tuple[str, str], tuple[SourceFile, ...]] = {}
    same: dict[str, bool] = {}
    for member in order.members:
        layers = Layers(member)
        plan = plans[member.name] = PackagePlan(
            member, order.request.level, order.request.type, shop, oldest=min(order.pythons, key=lambda python: python.version)
        )
        for target in order.targets:
            files[member.name, target.name] = layers.on(target)
            here = files[member.name, target.name]
            modules = [file.place for file in here if file.is_module] if order.request.level is Level.NATIVE else []
            # Bytecode binds what lies beside it to its Python, and so does a folder.
            bound = order.request.level in (Level.BYTECODE, Level.MIXED) or order.request.bundle.carries
            own = plan.own_modules(target, here)
            ways = stable(member.settings(target), target, order.pythons, modules, own=own, bound=bound)
            for python, shared in ways.items():
                plan.add(target, python, here, shared=shared)
        # A wheel may say "any" only if no platform would get another one, whether it is built now or not.
        same[member.name] = not layers.has_overlays and not any(member.target_dependencies.values())
    return plans, files, same
