"""The fast path of ``pypackpack <package> sync``: when there is nothing to do, that is said before anything heavy is imported."""

import os
import sys


def quick_sync(words: "list[str]") -> int | None:
    """Return the exit code, or None when the full command line has to look."""
    if len(words) != 2 or words[1] != "sync" or words[0].startswith("-") or sys.stdout is None:
        return None
    from pypackpack.frontend.cli.environments import environment_rows  # noqa: PLC0415 - only for sync
    from pypackpack.middleware.environment.settled import nothing_to_do  # noqa: PLC0415 - only for sync

    found = nothing_to_do(os.getcwd(), words[0])  # noqa: PTH109 - import cost of pathlib
    if found is None:
        return None
    try:
        sys.stdout.write("".join(f"{line}\n" for line in environment_rows([(*each, True) for each in found])))
        sys.stdout.flush()
    except OSError:  # whoever read our output has seen enough; the rest is the full command line's to say
        return None
    return 0
