"""The list of files that an index has of a project, in both of its forms."""

from __future__ import annotations

import pytest

from pypackpack.backend import network, simple_index
from pypackpack.model.errors import PackageIndexError

HTML = """<!DOCTYPE html><html><body>
<a href="../../packages/a-1.0-py3-none-any.whl#sha256=AB12" data-requires-python="&gt;=3.8">a-1.0-py3-none-any.whl</a><br>
<A HREF='https://files.example.org/x/a%2Bb-1.whl#md5=ff'>a</A> <a name="none">no link</a>
</body>"""
JSON = '{"meta": {"api-version": "1.0"}, "files": [{"filename": "a.whl", "url": "x", "hashes": {"sha256": "AB12"}}, {"filename": "b.whl", "hashes": {}}]}'


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("text/html; charset=utf-8", HTML, {"a-1.0-py3-none-any.whl": "ab12", "a+b-1.whl": ""}),
        ("application/vnd.pypi.simple.v1+json", JSON, {"a.whl": "ab12", "b.whl": ""}),
        ("", "", {}),
    ],
)
def test_names_and_digests(kind: str, text: str, expected: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(network, "read", lambda url, **more: asked.append((url, more["authorization"])) or (text.encode(), kind))
    assert simple_index.listed("https://h/simple/", "a-b", "Basic x") == expected
    assert asked == [("https://h/simple/a-b/", "Basic x")]


def test_a_project_that_is_not_there_has_no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "read", lambda _url, **_more: None)
    assert simple_index.listed("https://h/simple/", "a") == {}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 1}', '{"files": [1]}', '{"files": [{"filename": "a"}]}', "[" * 9999])
def test_nonsense_is_one_sentence(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "read", lambda _url, **_more: (text.encode(), "application/json"))
    with pytest.raises(PackageIndexError, match="answers something else than a list of files"):
        simple_index.listed("https://h/simple/", "a")
