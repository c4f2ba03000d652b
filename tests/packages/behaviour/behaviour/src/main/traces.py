"""Tracebacks: the right file and line."""

from __future__ import annotations

import sys
import traceback
import warnings


def fail(text: str) -> None:
    raise ValueError(text)


def outer(text: str) -> None:
    values = [1,
              2]
    for _ in values:
        fail(
            text
        )


class Thing:
    def method(self) -> None:
        return (lambda: 1 / 0)()

    @property
    def broken(self) -> int:
        return {}["missing"]

    def __getattr__(self, name: str) -> object:
        raise AttributeError(f"no {name}")


def generator():
    yield 1
    fail("in a generator")


async def coroutine():
    fail("in a coroutine")


def entries(error: BaseException) -> list[traceback.FrameSummary]:
    return [each for each in traceback.extract_tb(error.__traceback__) if "runpy" not in each.filename]


def where(error: BaseException) -> list[object]:
    return [["/".join(each.filename.replace("\\", "/").split("/")[-2:]), each.lineno] for each in entries(error)]


def caught(call) -> BaseException:
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("nothing raised")


def answer_lines() -> object:
    return where(caught(lambda: outer("x")))


def answer_lines_in_methods() -> object:
    return [where(caught(Thing().method)), where(caught(lambda: Thing().nothing))]


def answer_lines_in_generators() -> object:
    coro = coroutine()
    return [where(caught(lambda: list(generator()))), where(caught(lambda: coro.send(None)))]


def answer_lines_in_comprehensions() -> object:
    return where(caught(lambda: sorted({x: 1 // x for x in (1, 0)})))[-1]


def answer_names() -> object:
    return [each.name for each in entries(caught(lambda: outer("x")))]


def answer_chain() -> object:
    def chained():
        try:
            fail("first")
        except ValueError as error:
            raise RuntimeError("second") from error

    def context():
        try:
            fail("first")
        except ValueError:
            {}["k"]

    first, second = caught(chained), caught(context)
    return [repr(first.__cause__), where(first), where(first.__cause__), repr(second.__context__), second.__suppress_context__]


def answer_from_none() -> object:
    def quiet():
        try:
            fail("first")
        except ValueError:
            raise KeyError("k") from None

    error = caught(quiet)
    return [error.__suppress_context__, repr(error.__cause__), repr(error.__context__)]


def answer_reraise() -> object:
    def again():
        try:
            fail("x")
        except ValueError:
            raise

    places = where(caught(again))
    return [places[0], places[-1]]


def answer_reraise_entries() -> object:
    def again():
        try:
            fail("x")
        except ValueError:
            raise

    return len(where(caught(again)))


def answer_finally() -> object:
    log = []

    def both():
        try:
            fail("x")
        finally:
            log.append(type(sys.exc_info()[1]).__name__)

    return [where(caught(both)), log, sys.exc_info()[0]]


def answer_notes() -> object:
    def noted():
        try:
            fail("x")
        except ValueError as error:
            error.add_note("a note")
            raise

    error = caught(noted)
    return [error.__notes__, "a note" in "".join(traceback.format_exception(error))]


def answer_traceback_object() -> object:
    error = caught(lambda: outer("x"))
    trace = error.__traceback__
    count = 0
    while trace:
        count, last, trace = count + 1, trace, trace.tb_next
    return [count, last.tb_lineno, last.tb_frame.f_code.co_filename.replace("\\", "/").endswith("behaviour/traces.py"), last.tb_frame.f_globals["__name__"]]


def answer_assert() -> object:
    error = caught(_asserts)
    return [type(error).__name__, str(error), where(error)[-1]]


def _asserts() -> None:
    assert 1 + 1 == 3, "sums"


def answer_warning_place() -> object:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        warnings.warn("here", UserWarning, stacklevel=1)
    return [seen[0].category.__name__, "/".join(seen[0].filename.replace("\\", "/").split("/")[-2:]), seen[0].lineno]
