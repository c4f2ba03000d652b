"""For all tests."""

from __future__ import annotations

import signal

# A shell that starts something in the background lets it ignore Ctrl-C, and whatever it starts ignores it too; the tests that
# interrupt a command have to be able to.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
