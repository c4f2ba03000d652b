"""``pypackpack verify``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from pypackpack.frontend.cli.options import OfflineOption  # noqa: TC001 - typer evaluates it
from pypackpack.frontend.cli.session import Answer, session_of
from pypackpack.model.errors import EXIT_DONE, EXIT_FAILED, UsageError

if TYPE_CHECKING:
    from pypackpack.frontend.cli.style import Style
    from pypackpack.model.verification import Verification


def verify(
    ctx: typer.Context,
    file: Annotated[
        list[str],
        typer.Argument(
            metavar="<file>", help="A wheel, a patch, an archive of data files, or the folder of a binary.", show_default=False
        ),
    ],
    rebuild: Annotated[
        bool,
        typer.Option(
            "--rebuild",
            help="Also build the project's sources again, in a clean place with an empty cache, and compare to the byte.",
            show_default=False,
        ),
    ] = False,
    audit: Annotated[
        bool,
        typer.Option(
            "--audit",
            help="Also look at what machine code loads: only what is on every machine with the wheel's tags.",
            show_default=False,
        ),
    ] = False,
    base: Annotated[
        Optional[str],  # noqa: UP045 - typer evaluates it on Python 3.10 too
        typer.Option("--base", metavar="<wheel>", help="Of a patch: also apply it to this wheel, and keep nothing of it."),
    ] = None,
    expect: Annotated[
        Optional[str],  # noqa: UP045 - as above
        typer.Option("--expect", metavar="<identity>", help="Of a patch or an archive: the identity that it has to have."),
    ] = None,
    repository: Annotated[
        Optional[str],  # noqa: UP045 - as above
        typer.Option("--repository", metavar="<url>", help="The repository whose workflow has to have signed it."),
    ] = None,
    cert_identity: Annotated[
        Optional[str],  # noqa: UP045 - as above
        typer.Option("--cert-identity", metavar="<who>", help="The mail address, or workflow, that has to have signed it."),
    ] = None,
    cert_oidc_issuer: Annotated[
        Optional[str],  # noqa: UP045 - as above
        typer.Option("--cert-oidc-issuer", metavar="<url>", help="Who has to vouch for that; of GitHub and GitLab it is known."),
    ] = None,
    trusted_root: Annotated[
        Optional[str],  # noqa: UP045 - as above
        typer.Option("--trusted-root", metavar="<file>", help="What is believed of signatures, instead of the public Sigstore."),
    ] = None,
    offline: OfflineOption = False,
) -> Answer:
    """Check whether artifacts are what they say they are."""
    from pypackpack.middleware.verify import verify as look  # noqa: PLC0415 - import cost
    from pypackpack.middleware.verify.signatures import wanted_signer  # noqa: PLC0415 - import cost
    from pypackpack.model.verification import SignatureQuestion  # noqa: PLC0415 - import cost

    session = session_of(ctx)
    if expect is not None and len(file) > 1:
        msg = "--expect is the identity of one artifact, and several are named"
        raise UsageError(msg)
    question = SignatureQuestion(
        wanted_signer(cert_identity, cert_oidc_issuer, repository), Path(trusted_root) if trusted_root is not None else None
    )
    tried = Path(base) if base is not None else None
    found = [look(Path(each), audit=audit, base=tried, expect=expect, question=question) for each in file]
    if rebuild:
        from pypackpack.middleware.verify.rebuild import dependency_of  # noqa: PLC0415 - import cost
        from pypackpack.middleware.verify.rebuild import rebuild as again  # noqa: PLC0415 - as above

        project = session.project()
        whose = [dependency_of(each.path, project) for each in found]
        with session.console.watching() as watcher:
            for number, each in enumerate(found):
                if whose[number] and not all(whose):  # of a folder of wheels: the others are what can be proved
                    note = f"a dependency of {whose[number]}; it cannot be built again"
                    found[number] = replace(each, notes=(*each.notes, note))
                elif not each.problems:
                    check = again(each.path, project, watcher, offline=offline, base=tried)
                    found[number] = replace(each, checks=(*each.checks, check))
    wrong_ones = [each for each in found if each.problems]
    return Answer(
        found,
        lambda width, style: [line for each in found for line in verification_lines(each, width, style)],
        asked=bool(wrong_ones),
        exit_code=EXIT_FAILED if wrong_ones else EXIT_DONE,
    )


def verification_lines(result: Verification, width: int | None, style: Style) -> list[str]:
    """Return what was looked at and what is wrong, for people."""
    from pypackpack.frontend.cli.inspect_view import safe  # noqa: PLC0415 - import cost
    from pypackpack.frontend.cli.render import near_path, paragraph, size  # noqa: PLC0415 - import cost

    lines = [f"{style.bold(safe(near_path(result.path)))}  {size(result.size)}", f"  sha256 {result.sha256}"]
    longest = max(len(check.name) for check in result.checks)
    for check in result.checks:
        good = not check.problems
        word = f"{check.name:<{longest}}"
        mark = style.good("ok   ") if good else style.bad("wrong")
        room = None if width is None else width - longest - 11
        said = [safe(each) for each in ([check.found] if good else check.problems)]
        for number, text in enumerate(said):
            first, *rest = paragraph(text, room, hang="")
            head = f"  {mark}  {style.dim(word)}  " if number == 0 else " " * (longest + 11)
            lines += [head + first, *(" " * (longest + 11) + line for line in rest)]
    lines += [line for note in result.notes for line in paragraph(f"note: {safe(note)}", width)]
    return lines
