"""What the word after ``--to`` means."""

from __future__ import annotations

import pytest

from pypackpack.middleware.deploy.place import Place, place_of
from pypackpack.model.errors import UsageError


@pytest.mark.parametrize(
    ("word", "check", "upload", "index"),
    [
        ("pypi", "", "https://upload.pypi.org/legacy/", "https://pypi.org/simple/"),
        ("testpypi", "", "https://test.pypi.org/legacy/", "https://test.pypi.org/simple/"),
        ("https://pypi.org/simple", "", "https://upload.pypi.org/legacy/", "https://pypi.org/simple/"),
        ("https://test.pypi.org/legacy/", "", "https://test.pypi.org/legacy/", "https://test.pypi.org/simple/"),
        ("http://h:8080/simple/", "", "http://h:8080/", "http://h:8080/simple/"),
        ("http://h:8080", "", "http://h:8080", "http://h:8080/simple/"),
        ("http://h/root/dev/+simple/", "", "http://h/root/dev/", "http://h/root/dev/+simple/"),
        (
            "https://h/api/v4/projects/7/packages/pypi",
            "",
            "https://h/api/v4/projects/7/packages/pypi",
            "https://h/api/v4/projects/7/packages/pypi/simple/",
        ),
        ("https://h/pypi/upload/", "https://h/pypi/simple", "https://h/pypi/upload/", "https://h/pypi/simple/"),
        ("https://h/notsimple", "", "https://h/notsimple", "https://h/notsimple/simple/"),
    ],
)
def test_where_files_go_and_where_they_are_read(word: str, check: str, upload: str, index: str) -> None:
    assert place_of(word, check) == Place(upload, index)


@pytest.mark.parametrize(
    ("word", "check", "message"),
    [
        ("", "", "is no index"),
        ("PYPI", "", "is no index"),
        ("ftp://h/simple", "", "is no index"),
        ("file:///tmp/x", "", "is no index"),
        ("https:///simple", "", "is no index"),
        ("https://h:port/simple", "", "is no url"),
        ("https://[::1/simple", "", "is no url"),
        ("https://h/a b", "", "is no index"),
        ("https://h/simple\n", "", "is no index"),
        ("https://token@h/simple", "", r"\*\*\*\*@h/simple has credentials"),
        ("https://h/simple?x=1", "", "h/simple has more than a path"),
        ("https://h/simple#x", "", "more than a path"),
        ("https://u:p/q@h/simple", "", r"--to: https://\*\*\*\*@h/simple has credentials"),
        ("https://u:12/ab@h/simple", "", r"--to: https://\*\*\*\*@h/simple has credentials"),
        ('https://u:p q"r@h/simple', "", r"--to: https://\*\*\*\*@h/simple has credentials"),
        ("https://u:pa%40h/x", "", r"--to: https://u:\*\*\*\* is no url: no port"),
        ("https://u:secret pw/x", "", r"--to: https://u:\*\*\*\* is no url: no port"),
        ("u:secret@h/simple", "", r"--to: \*\*\*\*@h/simple has credentials"),
        ("https://h/up", "https://u:p@h/simple", r"--check-url: https://\*\*\*\*@h/simple has credentials"),
    ],
)
def test_what_is_no_index_is_refused_and_no_secret_shown(word: str, check: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        place_of(word, check)
    assert "u:p" not in str(caught.value)
    for secret in ("token@", "ab@", 'q"r', "secret"):
        assert secret not in str(caught.value)
    assert caught.value.hint
