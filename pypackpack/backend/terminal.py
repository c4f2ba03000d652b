"""What differs between systems about the terminal."""

from __future__ import annotations

import sys


def switch_on_escape_codes(descriptor: int) -> bool:
    """Let a Windows console understand escape codes, and tell whether it does; everywhere else they are understood.

    Format: https://learn.microsoft.com/windows/console/setconsolemode, ENABLE_VIRTUAL_TERMINAL_PROCESSING.
    """
    if sys.platform != "win32":
        return True
    import ctypes  # noqa: PLC0415 - Windows only
    import msvcrt  # noqa: PLC0415 - Windows only

    processing = 0x0004
    kernel = ctypes.windll.kernel32
    try:
        handle = msvcrt.get_osfhandle(descriptor)
    except OSError:
        return False
    mode = ctypes.c_ulong()
    if not kernel.GetConsoleMode(handle, ctypes.byref(mode)):
        return False
    return bool(mode.value & processing or kernel.SetConsoleMode(handle, mode.value | processing))
