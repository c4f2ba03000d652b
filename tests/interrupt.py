"""Ctrl-C at every line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, ModuleType
    from typing import Any


def interrupted_at(line: int, modules: tuple[ModuleType, ...], action: Callable[[], object]) -> bool:
    """Run ``action`` and raise KeyboardInterrupt before the ``line``-th line that it runs in these modules.

    Returns whether it came that far: False means that the action ended, undisturbed.
    """
    files = {module.__file__ for module in modules}
    left = line

    def local(_frame: FrameType, event: str, _value: object) -> Any:  # noqa: ANN401 - a trace function returns itself
        nonlocal left
        if event == "line":
            left -= 1
            if left == 0:
                sys.settrace(None)
                raise KeyboardInterrupt
        return local

    def trace(frame: FrameType, _event: str, _value: object) -> Any:  # noqa: ANN401 - see above
        # Interrupted while it is given back, a lock stays ours until the process ends; here it would not.
        return local if frame.f_code.co_filename in files and frame.f_code.co_name != "lock" else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    except KeyboardInterrupt:
        if left:
            raise
        return True
    finally:
        sys.settrace(before)
    return left <= 0
