from __future__ import annotations

from pathlib import Path

from pypackpack.middleware.target import table
from pypackpack.middleware.target.reference import PAGE, targets_page, write_page

DOCS = Path(__file__).parents[4] / "docs"


def test_the_committed_page_is_what_the_table_says() -> None:
    committed = (DOCS / PAGE).read_text(encoding="utf-8")
    assert committed == targets_page(), "run: python -m pypackpack.middleware.target.reference docs"


def test_the_page_has_every_target_and_every_alias(tmp_path: Path) -> None:
    write_page(tmp_path)
    page = (tmp_path / PAGE).read_text(encoding="utf-8")
    for row in table.table().rows.values():
        assert f"### {row.name}\n" in page
        for word in (*row.aliases, *(tag for tag in row.target().tags.default)):
            assert word.replace("{version}", "<version>").replace("{dotted}", "<version>") in page
