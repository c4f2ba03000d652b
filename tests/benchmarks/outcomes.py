"""A pytest plugin that writes what became of each test, one JSON line each, at once: a process that dies leaves the lines before.

Loaded with ``-p outcomes`` into the pytest of a package under test, so it imports nothing but pytest's hooks and the standard library.
"""

import json
import os
import re

# Reprs of objects and of our own kinds of functions stand in the names of parametrised tests.
ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
COMPILED = re.compile(r"<(?:cyfunction|compiled_function) ")
WORST = ("passed", "skipped", "xfailed", "xpassed", "failed", "error")


class Outcomes:
    """Collects the phases of each test into one word."""

    def __init__(self, stream):
        self.stream = stream
        self.words = {}

    def write(self, **fields):
        self.stream.write(json.dumps(fields) + "\n")
        self.stream.flush()

    def pytest_runtest_logstart(self, nodeid, location):  # noqa: ARG002 - pytest's names
        self.write(test=named(nodeid), outcome="started")

    def pytest_runtest_logreport(self, report):
        word = report.outcome
        if hasattr(report, "wasxfail"):
            word = "xfailed" if report.skipped else "xpassed"
        elif report.failed and report.when != "call":
            word = "error"
        known = self.words.get(report.nodeid, "passed")
        self.words[report.nodeid] = max(known, word, key=WORST.index)
        if report.when == "teardown" or (report.failed and report.when == "setup"):
            self.write(test=named(report.nodeid), outcome=self.words[report.nodeid])
        if report.failed:
            self.write(test=named(report.nodeid), why=str(report.longrepr)[-4000:])

    def pytest_collectreport(self, report):
        if report.failed:
            self.write(test=named(report.nodeid) or "collection", outcome="error", why=str(report.longrepr)[-4000:])


def named(nodeid):
    """Return a test's name without what differs from run to run."""
    return COMPILED.sub("<function ", ADDRESS.sub("0x", nodeid))


def pytest_configure(config):
    """Begin."""
    config.pluginmanager.register(Outcomes(open(os.environ["OUTCOMES"], "w", encoding="utf-8")))  # noqa: PTH123, SIM115 - open to the end
