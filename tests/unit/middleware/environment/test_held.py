"""Whether a lock keeps to constraints."""

from __future__ import annotations

import pytest

from pypackpack.middleware.environment.held import broken, to_resolve_again

LOCK = """\
version = 1

[[package]]
name = "urllib3"
version = "1.26.0"

[[package]]
name = "six"
version = "1.0"

[[package]]
name = "six"
version = "2.0"

[[package]]
name = "tool"
version = "1"
source = { url = "https://example.org/tool-1.whl" }
"""


@pytest.mark.parametrize(
    ("constraint", "again", "said"),
    [
        ("URLLIB3==1.26.0", (), ()),
        ("urllib3==1.26.18", ("urllib3",), ("urllib3==1.26.0, and not ==1.26.18",)),
        ("urllib3==1.26.18 ; python_version < '3'", ("urllib3",), ()),
        ("urllib3==1.26.18 ; python_version > '3'", ("urllib3",), ("urllib3==1.26.0, and not ==1.26.18",)),
        ("six==1.0 ; python_version > '3'", ("six",), ()),  # the other one is for another environment
        ("six==1.0", ("six",), ("six==2.0, and not ==1.0",)),
        ("nobodys==1", (), ()),
        ("tool @ https://example.org/tool-1.whl#sha256=1", (), ()),
        ("tool @ https://example.org/tool-2.whl", ("tool",), ("tool==1, and not https://example.org/tool-2.whl",)),
        ("tool @ git+https://example.org/tool@v2", (), ()),
    ],
)
def test_constraints(constraint: str, again: tuple[str, ...], said: tuple[str, ...]) -> None:
    assert to_resolve_again([constraint], LOCK) == again
    assert broken([constraint], LOCK, (3, 12, 1)) == said
