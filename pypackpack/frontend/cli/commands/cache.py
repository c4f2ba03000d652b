"""``pypackpack cache info|prune|verify|clear``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from pypackpack.frontend.cli.overview import wrapped
from pypackpack.frontend.cli.render import count, paragraph, size, table
from pypackpack.frontend.cli.session import Answer, Session, session_of
from pypackpack.model.cache import parse_size
from pypackpack.model.errors import EXIT_FAILED, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.frontend.cli.style import Style
    from pypackpack.model.cache import CacheSettings
    from pypackpack.model.cache_use import Bucket, CacheInfo, Cleared, Pruned, Verified

_SPANS = {"h": 3600, "d": 86400, "w": 7 * 86400}
DAMAGED_SHOWN = 10


def _cache(session: Session) -> tuple[Path, CacheSettings]:
    """Return the cache folder that builds from here use, and the settings for it; a project is not needed."""
    from pypackpack.backend.filesystem import cache_folder  # noqa: PLC0415 - import cost
    from pypackpack.middleware.cache import settings_at  # noqa: PLC0415 - import cost

    settings = settings_at(session.start, named=session.general.project is not None)
    return cache_folder(settings.folder), settings


def info(ctx: typer.Context) -> Answer:
    """Show what the cache holds, and where it lies."""
    folder, settings = _cache(session_of(ctx))
    from pypackpack.middleware.cache import info as look  # noqa: PLC0415 - import cost

    found = look(folder, settings.size)
    return Answer(found, lambda width, style: info_lines(found, style, width), asked=True)


def info_lines(found: CacheInfo, style: Style, width: int | None = None) -> list[str]:
    """Return where the cache lies, its parts with their sizes, and how full its store is."""
    lines = [f"{style.bold(str(found.folder))}: {size(found.size)}"]
    lines += _bucket_lines(found.buckets, style, width)
    used = f", the oldest used on {found.oldest[:10]}" if found.oldest else ""
    text = f"store: {size(found.store)} of at most {size(found.limit)}, {count(found.entries, 'entry', 'entries')}{used}"
    lines += paragraph(text, width)
    return [*lines, *(line for who in found.builds for line in paragraph(f"in use by {who}", width))]


def _bucket_lines(buckets: tuple[Bucket, ...], style: Style, width: int | None) -> list[str]:
    """Return a line for each part of the cache; what it is goes on below itself, or below the line where that is narrow."""
    facts = table([(each.name, size(each.size), count(each.files, "file")) for each in buckets], right=[1, 2])
    lines = []
    for each, fact in zip(buckets, facts, strict=True):
        left = len(fact) + 4
        room = None if width is None else width - left
        first, *rest = [each.what] if room is None else wrapped(each.what, max(room, 24))
        if room is not None and room < 24:
            first, rest, left = "", wrapped(each.what, max((width or 0) - 6, 24)), 6
        lines.append(f"  {style.word(each.name)}{fact[len(each.name) :]}  {first}".rstrip())
        lines += [" " * left + line for line in rest]
    return lines


def prune(
    ctx: typer.Context,
    to: Annotated[
        Optional[str],  # noqa: UP045 - typer evaluates it on Python 3.10 too
        typer.Option(
            "--size",
            metavar="<size>",
            help="Leave at most this much, such as 5GB, instead of the settings' size.",
            show_default=False,
        ),
    ] = None,
    older_than: Annotated[
        Optional[str],  # noqa: UP045 - typer evaluates it on Python 3.10 too
        typer.Option(
            "--older-than",
            metavar="<time>",
            help="Also what was not used for so long, whatever the size: 30d, 12h or 8w.",
            show_default=False,
        ),
    ] = None,
) -> Answer:
    """Take from the cache what was not used for longest, and what is of no use any more."""
    session = session_of(ctx)
    limit = None if to is None else _size(to)
    age = None if older_than is None else _span(older_than)
    folder, settings = _cache(session)
    from pypackpack.middleware.cache import prune as take  # noqa: PLC0415 - import cost

    with session.console.watching() as watcher:
        result = take(folder, settings.size if limit is None else limit, watcher, older_than=age)
    return Answer(result, lambda _width, style: pruned_lines(result, style))


def _size(text: str) -> int:
    if text.strip("0 ") == "":
        return 0
    if re.fullmatch(r"[\d. ]*", text):  # bytes would be right for nobody, and would empty the cache of whoever means gigabytes
        msg = f"--size: {text!r} has no unit: MB, GB, TB, MiB, GiB or TiB"
        raise UsageError(msg, hint=f"Such as --size {text.strip()}GB.")
    try:
        return parse_size(text, smallest=0)
    except ValueError as error:
        msg = f"--size: {text!r} is not {error}"
        raise UsageError(msg, hint="Such as --size 5GB.") from error


def _span(text: str) -> float:
    match = re.fullmatch(r"(\d{1,6}) ?([hdw])", text.lower())
    if match is None:
        msg = f"--older-than: {text!r} is not a number of hours (h), days (d) or weeks (w)"
        raise UsageError(msg, hint="Such as --older-than 30d.")
    return float(int(match[1]) * _SPANS[match[2]])


def pruned_lines(result: Pruned, style: Style) -> list[str]:
    """Return what went, and what is left."""
    gone = [
        count(result.results, "result") if result.results else "",
        count(result.blobs, "blob") if result.blobs else "",
        count(result.leftovers, "leftover") if result.leftovers else "",
    ]
    what = ", ".join(word for word in gone if word)
    lines = [f"{style.good('removed')} {what}: {size(result.freed)}"] if what else ["nothing to remove"]
    lines.append(f"the store has {size(result.size)} now")
    if result.spared:
        lines.append(f"{size(result.spared)} more would have gone, but builds that are running may need it")
    return lines


def verify(ctx: typer.Context) -> Answer:
    """Read all that builds keep in the cache, and throw away what is damaged."""
    session = session_of(ctx)
    folder, _ = _cache(session)
    from pypackpack.middleware.cache import verify as read_all  # noqa: PLC0415 - import cost

    with session.console.watching() as watcher:
        result = read_all(folder, watcher)
    code = EXIT_FAILED if result.damaged else 0
    return Answer(result, lambda _width, style: verified_lines(result, style), asked=bool(code), exit_code=code)


def verified_lines(result: Verified, style: Style) -> list[str]:
    """Return what was read and what of it was damaged."""
    lines = [f"read {count(result.entries, 'entry', 'entries')}, {size(result.size)}"]
    if result.useless:
        several = result.useless > 1
        lines.append(
            f"{count(result.useless, 'result')} named what is gone and {'were' if several else 'was'} removed: "
            f"{'these tasks run' if several else 'this task runs'} again"
        )
    if not result.damaged:
        return [*lines, f"{style.good('nothing is damaged')}"]
    lines.append(
        style.warn(f"{count(len(result.damaged), 'entry was', 'entries were')} damaged and thrown away; builds make them again:")
    )
    lines += [f"  {path}" for path in result.damaged[:DAMAGED_SHOWN]]
    if len(result.damaged) > DAMAGED_SHOWN:
        lines.append(f"  and {len(result.damaged) - DAMAGED_SHOWN} more")
    return lines


def clear(
    ctx: typer.Context,
    tools: Annotated[
        bool,
        typer.Option(
            "--tools", help="Also the C compiler and what else can only be fetched again, over the network.", show_default=False
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.", show_default=False)] = False,
) -> Answer:
    """Empty the cache; the tools that were fetched stay."""
    session = session_of(ctx)
    folder, _ = _cache(session)
    from pypackpack.middleware.cache import clear as remove  # noqa: PLC0415 - import cost
    from pypackpack.middleware.cache import clearable  # noqa: PLC0415 - import cost
    from pypackpack.model.cache_use import Cleared  # noqa: PLC0415 - as above

    if not yes:
        parts = clearable(folder, tools=tools)
        total = sum(each.size for each in parts)
        session.console.tell([f"{folder}:", *_bucket_lines(parts, session.console.style_err, session.console.width_err)])
        agreed = session.console.confirm(f"Remove all of this, {size(total)}?")
        if agreed is None:
            msg = "`cache clear` removes all that builds have made, and there is no terminal to ask on"
            raise UsageError(msg, hint="Give --yes to agree beforehand.")
        if not agreed:
            return Answer(Cleared(folder, removed=False, buckets=(), freed=0), lambda *_: ["nothing was removed"])
    with session.console.watching() as watcher:
        result = remove(folder, watcher, tools=tools)
    return Answer(result, lambda _width, style: cleared_lines(result, style))


def cleared_lines(result: Cleared, style: Style) -> list[str]:
    """Return what went."""
    if not result.buckets:
        return [f"{result.folder} was empty"]
    return [f"{style.good('removed')} {', '.join(each.name for each in result.buckets)}: {size(result.freed)}"]
