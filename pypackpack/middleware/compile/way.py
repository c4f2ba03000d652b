"""How the extension modules of a target are made: its toolchain, and the headers it gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pypackpack.middleware.compile.extension import Way
from pypackpack.middleware.compile.toolchains import choose
from pypackpack.middleware.target.table import parts_of

if TYPE_CHECKING:
    from pypackpack.middleware.compile.transcompile import Transcompiler
    from pypackpack.middleware.compile.workshop import Workshop
    from pypackpack.model.interpreter import Interpreter
    from pypackpack.model.project import BuildSettings
    from pypackpack.model.target import Target


def way_for(
    target: Target,
    python: Interpreter,
    settings: BuildSettings,
    compiler: Transcompiler | None,
    shop: Workshop,
    *,
    release: bool,
    limited: bool = False,
) -> Way:
    """Return how the extension modules of a target are made; of one that is put together from others, how each part is.

    Without a ``compiler`` it is for C that people wrote.
    """
    ways = []
    for part in parts_of(target):
        choice = choose(part, settings)
        own = compiler.headers(part, python) if compiler is not None else ()
        headers = (*own, *shop.includes(part, python, choice.found.name))
        defines = compiler.defines(part, python) if compiler is not None else ()
        options = compiler.options(part) if compiler is not None else ()
        ways.append(Way(part, python, release, headers, choice, limited, defines=defines, options=options, maker=compiler))
    return ways[0] if not target.parts else Way(target, python, release, (), None, limited, parts=tuple(ways))
