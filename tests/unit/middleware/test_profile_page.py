"""The page about a run: what is in it, and that no name can become a part of it."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import json
import re

import pytest

from pypackpack.middleware.profile_page import OUTPUT_SHOWN, Run, embedded, page_data, profile_page
from pypackpack.model.journal import Change, Reason, TaskReport

HOSTILE = (
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "]]>",
    "\u2028\u2029",
    "&lt;b&gt;",
    "'\"`${x}",
    "\x00\x1b[31m",
    "{{data}}",
    "a\nb",
)


def report(name: str, number: int = 0, **more: object) -> TaskReport:
    facts: dict[str, object] = {
        "source": "run",
        "start": number * 0.01,
        "end": number * 0.01 + 0.5,
        "worker": number % 4,
        "reason": Reason("new"),
        **more,
    }
    return TaskReport(name=name, step="compile", package="p", target="linux", label=name, key="k", **facts)  # type: ignore[arg-type]


class Page(html.parser.HTMLParser):
    """What a browser sees of the page: elements, scripts, and what the page would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.scripts: list[tuple[str, str]] = []
        self.addresses: list[str] = []
        self.policy = ""
        self.title = ""
        self._inside = ""
        self._kind = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = dict(attrs)
        self._inside = tag
        self.addresses += [str(facts[name]) for name in ("src", "href", "action", "data", "poster") if name in facts]
        if tag == "script":
            self._kind = facts.get("type") or ""
            self.scripts.append((self._kind, ""))
        if facts.get("http-equiv") == "Content-Security-Policy":
            self.policy = str(facts["content"])

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the parser's interface
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] = (self._kind, self.scripts[-1][1] + data)
        if self._inside == "title":
            self.title += data


def parts(text: str) -> tuple[Page, dict[str, object]]:
    page = Page(text)
    (kind, data), (plain, _script) = page.scripts
    assert (kind, plain) == ("application/json", "")
    return page, json.loads(data)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_text(name: str) -> None:
    changes = (Change(name, name, "b" * 64),)
    reports = [report(f"compile {name}", output=name, error=name, reason=Reason("changed", changes, (name,)))]
    page, data = parts(profile_page(reports, Run(f"pypackpack build {name}", 1.0, error=name)))
    assert f"compile {name}" in data["strings"]  # type: ignore[operator]
    assert data["command"] == f"pypackpack build {name}"
    assert data["outputs"] == ({"0": name} if name.strip() else {})
    assert page.title.replace("\x00", "") == f"pypackpack build {name}".replace("\x00", "")


def test_the_page_fetches_nothing_and_runs_one_script() -> None:
    text = profile_page([report("compile a")], Run("pypackpack build p", 1.0))
    page, _ = parts(text)
    script = page.scripts[1][1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert page.addresses == []
    assert "default-src 'none'" in page.policy
    assert f"script-src 'sha256-{digest}'" in page.policy
    assert not re.search(
        r"\b(?:fetch|XMLHttpRequest|WebSocket|import|eval|innerHTML|outerHTML|insertAdjacentHTML|document\.write)\b", script
    )
    assert "url(" not in text
    assert "{{" not in text.replace(script, "")


def test_nothing_in_the_data_can_end_its_element() -> None:
    assert embedded({"a": "</script><!-- &"}) == '{"a":"\\u003c/script\\u003e\\u003c!-- \\u0026"}'


def test_credentials_are_masked_everywhere() -> None:
    secret = "https://me:secret@example.org/x"
    reports = [
        report(
            f"compile {secret}", output=secret, error=secret, reason=Reason("changed", (Change(secret, secret, "x"),), (secret,))
        )
    ]
    assert "secret" not in profile_page(reports, Run(f"build {secret}", 1, error=secret)).replace("compile", "")


def test_long_outputs_are_cut_in_the_middle_and_failures_come_first() -> None:
    long = "begin " + "x" * (3 * OUTPUT_SHOWN) + " end"
    reports = [report(f"compile {number}", number, output=long) for number in range(600)]
    reports.append(report("compile broken", 600, source="failed", output=long, error="no"))
    outputs = page_data(reports, Run("build", 7))["outputs"]
    assert isinstance(outputs, dict)
    assert outputs["600"].startswith("begin xxx")
    assert outputs["600"].endswith("xxx end")
    assert "characters are left out" in outputs["600"]
    assert outputs["599"] == "left out, since the page would become too large; `--json` has it"


def test_twenty_thousand_tasks_are_one_page_of_a_few_megabytes() -> None:
    reports = [
        report(
            f"compile package/src/main/module_{number}.py linux_x86_64 3.11",
            number,
            reason=Reason("changed", (Change("zig", "1", "2"),)),
        )
        for number in range(20_000)
    ]
    text = profile_page(reports, Run("build", 300))
    assert len(text) < 4_000_000
    assert len(parts(text)[1]["tasks"]) == 20_000  # type: ignore[arg-type]


def test_the_same_run_gives_the_same_page() -> None:
    reports = [report(f"compile {number}", number) for number in range(5)]
    assert profile_page(reports, Run("build", 1)) == profile_page(reversed_of(reports), Run("build", 1))


def reversed_of(reports: list[TaskReport]) -> list[TaskReport]:
    return list(reversed(reports))
