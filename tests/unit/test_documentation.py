"""What the documentation says of the project itself."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from packaging.requirements import Requirement

from pypackpack.frontend.cli.table import LATER

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]


def test_every_dependency_has_its_line_of_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lines = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    lines += [line for group in project["dependency-groups"].values() for line in group]
    page = (ROOT / "docs" / "decisions" / "dependencies.md").read_text(encoding="utf-8")
    assert [name for line in lines if f"`{(name := Requirement(line).name)}`" not in page] == []


def test_the_page_of_limits_names_every_command_that_is_not_there_yet() -> None:
    page = (ROOT / "docs" / "reference" / "limits.md").read_text(encoding="utf-8")
    commands = page.partition("## Commands")[2].partition("\n* `verify`")[0]
    assert set(re.findall(r"`(\w+)`", commands)) == LATER


def test_the_first_page_leads_to_every_page_and_the_tutorials_to_each_of_its_own() -> None:
    docs = ROOT / "docs"
    first = (docs / "index.md").read_text(encoding="utf-8")
    pages = sorted(
        page.relative_to(docs).as_posix() for part in ("how-to", "reference", "explanation") for page in docs.glob(f"{part}/*.md")
    )
    assert [page for page in pages if f"]({page})" not in first] == []
    tutorial = (docs / "tutorial" / "index.md").read_text(encoding="utf-8")
    chapters = sorted(page.name for page in docs.glob("tutorial/*.md") if page.name != "index.md")
    assert [chapter for chapter in chapters if not re.search(rf"^\d+\. \[.+\]\({chapter}\)$", tutorial, re.MULTILINE)] == []
