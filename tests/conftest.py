"""For all tests."""

from __future__ import annotations

import os
import signal

from hypothesis import HealthCheck, settings

# How long an example takes says something about the machine and its load, nothing about the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

# A shell that starts something in the background lets it ignore Ctrl-C, and whatever it starts ignores it too; the tests that
# interrupt a command have to be able to.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# What somebody says to this run of pytest is not meant for those that tests start, in environments of their own.
os.environ.pop("PYTEST_ADDOPTS", None)
