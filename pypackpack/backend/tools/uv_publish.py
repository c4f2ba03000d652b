"""``uv publish``: one file to one index.

Who we are to the index is uv's business alone: ``UV_PUBLISH_TOKEN``, ``UV_PUBLISH_USERNAME`` and ``UV_PUBLISH_PASSWORD``, a
keyring, trusted publishing, ``[tool.uv]`` and ``uv.toml`` reach it as they are. None of it stands on a command line, and what uv
says is shown without it. See uv's documentation, "Building and publishing a package".
"""

from __future__ import annotations

import base64
import os
import re
from typing import TYPE_CHECKING

from pypackpack.backend.tools import uv
from pypackpack.backend.urls import urlsplit
from pypackpack.model.errors import PackageIndexError, ToolError

if TYPE_CHECKING:
    from pathlib import Path

_SECRETS = ("UV_PUBLISH_TOKEN", "UV_PUBLISH_PASSWORD")
# Where to is said by our caller, and would be said twice.
_ELSEWHERE = dict.fromkeys(("UV_PUBLISH_URL", "UV_PUBLISH_CHECK_URL", "UV_PUBLISH_INDEX", "UV_DRY_RUN"))
_LOGINS = re.compile(
    r"UV_PUBLISH_(?:TOKEN|PASSWORD|USERNAME)|ACTIONS_ID_TOKEN_REQUEST_TOKEN|.*_ID_TOKEN|BUILDKITE_AGENT_ACCESS_TOKEN",
    re.IGNORECASE,
)
LOGIN = "uv takes UV_PUBLISH_TOKEN, or UV_PUBLISH_USERNAME and UV_PUBLISH_PASSWORD, a keyring, or trusted publishing in CI."
_DENIED = re.compile(r"status code:? 40[13]\b|missing credentials|\b401 unauthorized|\b403 forbidden", re.IGNORECASE)


def logins() -> list[str]:
    """Return the variables that say who we are to an index, by name or by what a CI vouches for (trusted publishing).

    They must not reach the code of packages, which runs when they are built or imported. GitLab has ``<audience>_ID_TOKEN``.
    """
    return sorted(name for name in os.environ if _LOGINS.fullmatch(name))


def publish(file: Path, url: str, project: Path) -> None:
    """Send a file, and the attestation of its publisher that lies beside it (PEP 740), to an index.

    Another attestation, such as one of how it was built, does not go along: nobody here has looked whether it is about this file.

    Args:
        file: The wheel.
        url: Where files are sent to; without credentials.
        project: The project's folder, whose ``[tool.uv]`` counts.

    Raises:
        PackageIndexError: The index is out of reach, does not let us in, or does not take the file; its words are in ``details``.
        MissingToolError: There is no uv, or it does not run here.
    """
    beside = sorted(each.name for each in file.parent.iterdir() if each.name.startswith(f"{file.name}."))
    attestations = [name for name in beside if name == f"{file.name}.publish.attestation"]
    # In the file's own folder, by its bare name: uv takes the words for patterns, and a folder may have brackets in its name.
    words: list[str | Path] = ["publish", "--project", project, "--publish-url", url]
    if urlsplit(url).scheme == "http":
        # uv asks for it by TLS at the same port, where nobody without credentials should wait for most of a minute.
        words += ["--trusted-publishing", "never"]
    words += ["--", file.name, *attestations]
    try:
        uv.run(words, f"uploading {file.name}", cwd=file.parent, changes=_ELSEWHERE)
    except ToolError as error:
        raise _explained(file, url, error) from error


def authorization(index: str, url: str) -> str:
    """Return the ``Authorization`` header for a list of files on the server that is uploaded to, by the variables that uv reads.

    Empty when they are not set, or the index is on another server: it has no business with them.
    """
    mine, other = urlsplit(url), urlsplit(index)
    if (mine.scheme, mine.netloc) != (other.scheme, other.netloc):
        return ""
    user, word = os.environ.get("UV_PUBLISH_USERNAME", ""), os.environ.get("UV_PUBLISH_PASSWORD", "")
    if token := os.environ.get("UV_PUBLISH_TOKEN", ""):
        user, word = "__token__", token
    return "Basic " + base64.b64encode(f"{user}:{word}".encode()).decode() if word else ""


def _explained(file: Path, url: str, error: ToolError) -> PackageIndexError:
    """Return what went wrong in one sentence; uv's own words, without secrets, stay in the details."""
    details = error.details
    # A server may say what was sent to it, in the form that it came in, too.
    secrets = [os.environ.get(name, "") for name in _SECRETS] + [authorization(url, url).removeprefix("Basic ")]
    for secret in filter(None, secrets):
        details = details.replace(secret, "****")
    # What uv was about to do stands before it, and in our own message.
    details = details[max(details.find("error: "), 0) :]
    server = urlsplit(url).netloc
    # What the server answered comes first: its words may speak of connections, too.
    if _DENIED.search(details):
        msg, hint = f"{server} does not let us upload {file.name}", LOGIN
    elif uv.out_of_reach(details):
        msg, hint = f"{server} is out of reach, {file.name} was not uploaded", "Try again later; what is there is skipped."
    else:
        msg, hint = f"{server} did not take {file.name}", "Its answer, as uv gives it, says why; what is there is skipped."
    return PackageIndexError(msg, hint=hint, details=details)
