"""The table of well-known packages: its page is what the results say, and no difference is without a reason."""

from __future__ import annotations

import json
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import packages  # noqa: E402 - a script, found by the path above


def test_page_and_results_agree_and_nothing_is_unexplained() -> None:
    # python tests/benchmarks/packages.py --page
    assert packages.PAGE.read_text(encoding="utf-8") == packages.page()
    results = json.loads(packages.RESULTS.read_text(encoding="utf-8"))
    pinned = packages.subjects()
    for compiler, content in results.items():
        assert len(content["packages"]) >= 20, compiler
        for name, each in content["packages"].items():
            assert each["unexplained"] == 0, name
            assert each["version"] == pinned[name].version


def test_tests_whose_names_differ_from_run_to_run_are_paired() -> None:
    one = {"t.py::a[10:00]": {"outcome": "passed"}, "t.py::b": {"outcome": "passed"}, "t.py::c[1]": {"outcome": "passed"}}
    two = {"t.py::a[10:01]": {"outcome": "passed"}, "t.py::b": {"outcome": "failed"}, "t.py::c[2]": {"outcome": "failed"}}
    assert packages.paired(one, two) == {
        "t.py::a[10:00]": ("passed", "passed"),
        "t.py::b": ("passed", "failed"),
        "t.py::c[1]": ("passed", "absent"),
        "t.py::c[2]": ("absent", "failed"),
    }
