"""Why tasks ran, for a person: reports put together by what was at the bottom of it. Pure.

A change in a source file makes its C anew, that makes the extensions of all targets anew, and these the wheels. Each of these
tasks has an input that changed, and for all of them it is the one file that a person wants to hear of: so an input that is the
result of a task which ran for another reason is followed to that reason.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pypackpack.model.journal import KIND

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pypackpack.model.journal import Change, Reason, TaskReport

SHORT_DIGEST = 12
SHORT_TEXT = 40
WORDS_SHOWN = 4
MOST_CHANGES = 6
LONGEST_CHAIN = 20
"""So many links of a chain of who asked for a task are followed."""

SEVERAL = "several tasks"
"""Stands for the nearest task in a reason of several, which have each their own."""

SOURCES = "src/"
"""What names of sources begin with, among the inputs of a task."""

_DIGEST = re.compile("[0-9a-f]{64}")
_KIND = re.compile(r"(?P<step>[a-z ]+)-(?:(?P<tool>[a-z][a-z0-9_]*)-)?(?P<number>\d+)")
_WORDS = re.compile(r"[\s,\[\]\"']+")

SENTENCES = {
    "first": "nothing of this project is known on this machine",
    "new": "never made here before",
    "gone": "made here before, and gone from the cache",
    "asked": "asked by --rerun",
    "unkept": "made here before, and such a result is not one that the cache keeps",
    "changed": "",
}
"""What the kinds of reasons mean, where no input tells it."""


@dataclass(frozen=True)
class Group:
    """Tasks that ran for one reason.

    Attributes:
        reason: That of the first of them; its changes are those at the bottom, its ``near`` is `SEVERAL` where each has its own.
        reports: The tasks, in the order in which they began.
    """

    reason: Reason
    reports: tuple[TaskReport, ...]


def groups(reports: Iterable[TaskReport]) -> list[Group]:
    """Return the tasks that ran, by their reason; what began first comes first."""
    ran = sorted((report for report in reports if report.reason is not None), key=lambda report: report.start)
    makers = {digest: report for report in ran for _, digest in report.outputs}
    known: dict[str, dict[tuple[str, ...], Change]] = {}
    roots = {report.name: _roots(report, makers, known) for report in ran}
    counted = Counter(_named(report.package, change) for report in ran if report.reason for change in report.reason.changes)
    found: dict[tuple[object, ...], list[TaskReport]] = {}
    heads: dict[tuple[object, ...], Reason] = {}
    for report in ran:
        reason, mine = report.reason, roots[report.name]
        if reason is None:
            continue
        if any(change.name == KIND for change in mine.values()):  # however each of these tasks heard of it
            reason = replace(reason, kind="changed", near="")
        elif reason.near and (shared := {key: each for key, each in mine.items() if counted[each] > 1 or _is_source(each)}):
            mine = shared  # what only this one has comes of it
        head = (reason.kind, reason.text, bool(reason.near), *sorted(mine))
        found.setdefault(head, []).append(report)
        if head not in heads:
            heads[head] = replace(reason, changes=tuple(mine.values()))
        elif heads[head].near != reason.near:
            heads[head] = replace(heads[head], near=SEVERAL)
    return [Group(heads[head], tuple(members)) for head, members in found.items()]


def _is_source(change: Change) -> bool:
    """Tell whether it is a file of a person's."""
    folder, slash, _ = change.name.partition(SOURCES)
    return bool(slash) and " " not in folder


def _roots(
    report: TaskReport, makers: Mapping[str, TaskReport], known: dict[str, dict[tuple[str, ...], Change]]
) -> dict[tuple[str, ...], Change]:
    """Return the changes at the bottom of a task's reason, by old and new, and by whose file it is: some are alike.

    Where another tool does the work, it brings other settings, headers and files with it: nobody is told of these.
    """
    if report.name in known:
        return known[report.name]
    roots = known[report.name] = {}
    for change in report.reason.changes if report.reason is not None else ():
        maker = makers.get(change.new)
        below: Mapping[tuple[str, ...], Change] = {}
        if maker is not None and maker.name != report.name and maker.reason is not None and maker.reason.changes:
            below = _roots(maker, makers, known)
        roots.update(below or {(change.old, change.new, _owner(report.package, change)): _named(report.package, change)})
    if any(change.name == KIND for change in roots.values()):
        told = {place: change for place, change in roots.items() if change.name == KIND or _is_source(change)}
        roots.clear()
        roots.update(told)
    return roots


def _named(package: str, change: Change) -> Change:
    """Return a change with the name of a source as it is below the project's folder."""
    return replace(change, name=f"{package}/{change.name}") if change.name.startswith(SOURCES) else change


def _owner(package: str, change: Change) -> str:
    """Return the package whose file it is; the same for a source and for the file that a bundle makes of it."""
    folder, slash, _ = change.name.partition("/")
    name = package if change.name.startswith(SOURCES) else folder if slash else ""
    return name.replace("-", "_").lower()


def chain(report: TaskReport, by_name: Mapping[str, TaskReport], last: str = "") -> tuple[str, ...]:
    """Return who asked for a task, who asked for that one, and so on up to what is delivered.

    Args:
        report: The task.
        by_name: All tasks of the build.
        last: What is built of it all, such as ``the wheel``; stands before the last link where that is no task.
    """
    links: list[str] = []
    asked = _asked(report)
    while asked and len(links) < LONGEST_CHAIN and asked not in links:
        user = by_name.get(asked)
        links.append(asked if user is not None or not last else f"{last} of {asked}")
        if user is None:
            break
        asked = _asked(user)
    return tuple(links)


def _asked(report: TaskReport) -> str:
    reason: Reason | None = report.reason
    return reason.asked[0] if reason is not None and reason.asked else ""


def reason_text(reason: Reason, *, most: int | None = MOST_CHANGES) -> list[str]:
    """Return a reason as one sentence, or as one per input that changed; of the inputs at most so many (None: all)."""
    lines = [text] if (text := reason.text or SENTENCES.get(reason.kind, "")) else []
    if reason.near == SEVERAL:
        lines = [f"{SENTENCES['new']}; against the nearest that are known:"]
    elif reason.near:
        lines = [f"{SENTENCES['new']}; the nearest that is known is {reason.near}"]
    shown = reason.changes[:most]
    lines += [change_text(change) for change in shown]
    if len(reason.changes) > len(shown):
        lines.append(f"and {len(reason.changes) - len(shown)} more inputs")
    return lines or ["an input changed"]


def change_text(change: Change) -> str:
    """Return what changed, short: ``src/main/core.py 3f2a91c04b11 → 88a1c0ffee12``, ``zig 0.14 → 0.15``."""
    old, new = change.old, change.new
    if change.name == KIND:
        was, now = _KIND.fullmatch(old), _KIND.fullmatch(new)
        if was and now and was["step"] == now["step"]:
            if was["tool"] and now["tool"] and was["tool"] != now["tool"]:
                return f"made by {now['tool']}, no longer by {was['tool']}"
            if was["tool"] == now["tool"]:
                return f"this version of pypackpack makes it in another way ({old} → {new})"
    if change.name == "programs":
        return "which of its files are programs has changed"
    if not old:
        return f"{change.name} {_short(new)} was not there before"
    if not new:
        return f"{change.name} {_short(old)} is not there any more"
    if _is_short(old) and _is_short(new):
        return f"{change.name} {_short(old)} → {_short(new)}"
    return f"{change.name}: {_difference(_WORDS.split(old), _WORDS.split(new))}"


def _is_short(text: str) -> bool:
    return len(text) <= SHORT_TEXT or _DIGEST.fullmatch(text) is not None


def _short(text: str) -> str:
    """Return a digest's first digits, each digest of a text that holds several, and of long texts the beginning."""
    text = re.sub(r"[0-9a-f]{64}", lambda found: found[0][:SHORT_DIGEST], text)
    return text if len(text) <= SHORT_TEXT else text[: SHORT_TEXT - 1] + "…"


def _difference(old: Sequence[str], new: Sequence[str]) -> str:
    """Say which words of a long text are gone and which have come, such as compiler flags."""
    before, after = set(old), set(new)
    gone = [word for word in dict.fromkeys(old) if word and word not in after]
    come = [word for word in dict.fromkeys(new) if word and word not in before]
    parts = [f"without {_some(gone)}"] if gone else []
    parts += [f"with {_some(come)}"] if come else []
    return ", ".join(parts) or "the same words in another order"


def _some(words: Sequence[str]) -> str:
    shown = " ".join(_short(word) for word in words[:WORDS_SHOWN])
    return f"{shown} and {len(words) - WORDS_SHOWN} more words" if len(words) > WORDS_SHOWN else shown
