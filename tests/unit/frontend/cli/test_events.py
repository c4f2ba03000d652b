"""The events of ``build --json``: whole lines, at once, from any thread; and their reference."""

from __future__ import annotations

import io
import json
import threading
from dataclasses import fields
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from pypackpack.frontend.cli.argv import General
from pypackpack.frontend.cli.console import Console
from pypackpack.frontend.cli.errors import error_object
from pypackpack.frontend.cli.event_reference import events_page, json_schema, schema_text
from pypackpack.frontend.cli.events import EVENTS, EventStream, Note, Result
from pypackpack.model.build import Artifact, BuildRequest, BuildResult, Fallback
from pypackpack.model.errors import TasksFailedError, ToolError, UsageError
from pypackpack.model.journal import Change, Reason, TaskReport
from pypackpack.model.preview import BEHIND, PlannedTask, Preview

DOCS = Path(__file__).parents[4] / "docs" / "reference"
REPORT = TaskReport(
    "compile a",
    "compile",
    "p",
    "linux",
    "a",
    "k",
    "started",
    0.1,
    0.1,
    0,
    ("translate a",),
    Reason("changed", (Change("a.py", "1", "2"),), ("p for linux",)),
    inputs=(("a.py", "2"),),
)


def done(**changes: object) -> TaskReport:
    return TaskReport(
        **{
            **{each.name: getattr(REPORT, each.name) for each in fields(REPORT)},
            "source": "run",
            "end": 0.5,
            "outputs": (("module", "d"),),
            **changes,
        }
    )  # type: ignore[arg-type]


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    assert stream.getvalue().endswith("\n")
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def example() -> io.StringIO:
    out = io.StringIO()
    events = EventStream(out)
    events.started(BuildRequest(start=Path("/x"), package="p"))
    events.task(REPORT)
    events.task(done(output="said", unstable=True))
    events.task(done(source="store", name="compile b", reason=None))
    events.task(done(source="failed", error="no", name="compile c"))
    events.task(done(source="skipped", name="compile d", reason=None))
    events.note("wait")
    events.last(Preview((PlannedTask("a", "compile", "p", "", "a", BEHIND, reason=REPORT.reason),), (("ios", "no"),), ("note",)))
    events.last(
        BuildResult(
            (Artifact(Path("/w"), "wheel", "p", ("linux",), (3, 11), 1, "d", cached=False),),
            (Fallback("m", ("linux",), (3, 11), "bytecode", "why"),),
        )
    )
    events.last(
        error_object(
            TasksFailedError("2 tasks failed", failures=(("a", ToolError("x", hint="y", details="z")), ("b", ToolError("w"))))
        )
    )
    events.last(error_object(UsageError("no")))
    return out


def test_every_event_fits_the_schema() -> None:
    Draft202012Validator.check_schema(json_schema())
    validator = Draft202012Validator(json_schema())
    found = lines(example())
    for event in found:
        assert list(validator.iter_errors(event)) == []
    words = [
        "build-started",
        "task-started",
        "task-finished",
        "task-finished",
        "task-failed",
        "task-skipped",
        "note",
        "plan",
        "result",
        "error",
        "error",
    ]
    assert [event["event"] for event in found] == words
    assert found[0]["schema"] == 1


@pytest.mark.parametrize("damage", [{"event": "nothing"}, {"name": 3}, {"inputs": [["a", "b"]]}, {"reason": {"kind": "new"}}])
def test_the_schema_refuses_what_is_wrong(damage: dict[str, object]) -> None:
    event = next(event for event in lines(example()) if event["event"] == "task-started")
    assert list(Draft202012Validator(json_schema()).iter_errors({**event, **damage}))


def test_inputs_are_told_once_for_each_task() -> None:
    started, finished, known = lines(example())[1:4]
    assert (started["inputs"], finished["inputs"], known["inputs"]) == ({"a.py": "2"}, {}, {"a.py": "2"})
    assert finished["outputs"] == {"module": "d"}


def test_a_result_event_has_all_of_the_result_but_the_tasks() -> None:
    assert {each.name for each in fields(Result)} == {each.name for each in fields(BuildResult)} - {"tasks"}


@pytest.mark.parametrize("kind", EVENTS.values(), ids=lambda kind: kind.__name__)
def test_every_field_is_described(kind: type) -> None:
    node = json_schema()["$defs"][kind.__name__]
    assert all(value.get("description") or name == "event" for name, value in node["properties"].items())


@pytest.mark.parametrize(("name", "text"), [("build-events.md", events_page), ("build-events.schema.json", schema_text)])
def test_the_reference_is_up_to_date(name: str, text: object) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == text(), "run `python -m pypackpack.frontend.cli.reference docs`"  # type: ignore[operator]


def test_lines_of_many_threads_stay_whole() -> None:
    class Slow(io.StringIO):
        """Writes letter by letter, as a pipe may."""

        def write(self, text: str) -> int:
            return sum(super(Slow, self).write(letter) for letter in text)

    out = Slow()
    events = EventStream(out)
    threads = [threading.Thread(target=lambda mark=mark: [events.note(f"{mark}" * 200) for _ in range(20)]) for mark in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = lines(out)
    assert len(found) == 120
    assert all(len(set(str(event["text"]))) == 1 for event in found)


def test_each_line_is_handed_on_at_once() -> None:
    class Counting(io.StringIO):
        flushed = 0

        def flush(self) -> None:
            self.flushed += 1

    out = Counting()
    events = EventStream(out)
    for number in range(3):
        events.emit(Note("x"))
        assert out.flushed == number + 1


def test_a_reader_that_went_away_ends_the_writing_and_nothing_else() -> None:
    class Gone(io.StringIO):
        tries = 0

        def write(self, _text: str) -> int:
            self.tries += 1
            raise BrokenPipeError

    out = Gone()
    console = Console(General(json=True), out)
    console.stream()
    assert console.events is not None
    for _ in range(3):
        console.events.note("x")
    assert out.tries == 1
    with pytest.raises(BrokenPipeError):
        console.write_json(BuildResult(()))


def test_a_stream_that_was_closed_is_a_reader_that_went_away() -> None:
    out = io.StringIO()
    events = EventStream(out)
    out.close()
    events.note("x")
    assert isinstance(events.error, BrokenPipeError)


def test_credentials_are_masked_and_everything_is_ascii() -> None:
    out = io.StringIO()
    url = "https://me:secret@example.org/ü\u2028\x1b[0m"
    EventStream(out).task(done(output=url, name=f"compile {url}", inputs=((url, url),)))
    assert "secret" not in out.getvalue()
    assert out.getvalue().isascii()
    assert lines(out)[0]["output"] == "https://****@example.org/ü\u2028\x1b[0m"
