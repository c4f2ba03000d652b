"""uv's list of Pythons: what is read of it, and which Pythons packages are not built for."""

from __future__ import annotations

import json

import pytest

from pypackpack.frontend.cli.commands.python import _list_lines
from pypackpack.frontend.cli.style import PLAIN
from pypackpack.middleware.python.listing import parsed
from pypackpack.model.errors import ToolError


def _entry(version: str, implementation: str = "cpython", variant: str = "default", **more: str | None) -> dict[str, object]:
    major, minor, patch = version.split(".")
    plus = "" if variant == "default" else f"+{variant}"
    return {
        "key": f"{implementation}-{version}{plus}-linux-x86_64-gnu",
        "version": version,
        "version_parts": {"major": int(major), "minor": int(minor), "patch": int(patch)},
        "path": None,
        "symlink": None,
        "url": "https://user:secret@example.org/python.tar.gz",
        "os": "linux",
        "arch": "x86_64",
        "libc": "gnu",
        "implementation": implementation,
        "variant": variant,
        **more,
    }


def test_what_packages_are_not_built_for_is_said() -> None:
    entries = [
        _entry("3.99.0"),
        _entry("3.13.1", path="/usr/bin/python3.13", symlink="python", url=None),
        _entry("3.13.1", variant="freethreaded+debug"),
        _entry("3.9.2"),
        _entry("3.11.2", implementation="pypy"),
        _entry("3.10.0"),
    ]
    found = parsed(json.dumps(entries))
    assert [each.unsupported for each in found] == ["too new", "", "free-threaded", "too old", "not CPython", ""]
    assert "secret" not in repr(found)
    lines = _list_lines(found, False, PLAIN)
    assert lines[1].split() == ["cpython-3.13.1-linux-x86_64-gnu", "/usr/bin/python3.13", "->", "python"]
    assert lines[3].endswith("<download available>  (too old)")
    assert "CPython 3.10 to 3.14" in lines[-1]
    assert "example.org" in _list_lines(found, True, PLAIN)[0]
    assert len(_list_lines(found[-1:], False, PLAIN)) == 1


@pytest.mark.parametrize("text", ["", "{}x", '[{"key": "a"}]', "[1]"])
def test_another_form_is_an_error(text: str) -> None:
    with pytest.raises(ToolError) as caught:
        parsed(text)
    assert "--output-format text" in caught.value.hint
