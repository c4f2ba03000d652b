"""Rewrite ``pypackpack/data/tools.toml``: version, digests and sizes of the tools that pypackpack fetches.

    python scripts/bump_tools.py                     # same versions, read again
    python scripts/bump_tools.py ziglang==0.18.0     # another version

The index is asked through uv (so its settings are uv's), sizes by one HEAD request for each file. Run the whole test suite
afterwards: a pinned tool is one that was tested.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import uv

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PINS = Path(__file__).parent.parent / "pypackpack" / "data" / "tools.toml"
HEADER = """\
# Tools that are fetched from the package index when first needed. Written by scripts/bump_tools.py; not by hand.
# sha256 is the digest of the wheel, size its bytes.
"""


def wheels_of(requirement: str) -> tuple[str, list[tuple[str, str, int]]]:
    """Return the version and (file, sha256, size) of every wheel that the index has for an exact requirement."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project = f'[project]\nname = "bump"\nversion = "0"\nrequires-python = ">=3.10"\ndependencies = ["{requirement}"]\n'
        (folder / "pyproject.toml").write_text(project, encoding="utf-8")
        subprocess.run([uv.find_uv_bin(), "lock", "--quiet", "--no-cache"], cwd=folder, check=True)
        locked = tomllib.loads((folder / "uv.lock").read_text(encoding="utf-8"))
    package = next(item for item in locked["package"] if item["name"] != "bump")
    rows = []
    for wheel in package["wheels"]:
        size = wheel.get("size")
        if size is None:
            request = urllib.request.Request(wheel["url"], method="HEAD")  # noqa: S310 - a url of the index's own
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - see above
                size = int(answer.headers["Content-Length"])
        rows.append((wheel["url"].rsplit("/", 1)[1].split("#")[0], wheel["hash"].removeprefix("sha256:"), size))
    return package["version"], sorted(rows)


def main(arguments: list[str]) -> int:
    """Write the file again and say what is in it."""
    known = tomllib.loads(PINS.read_text(encoding="utf-8")) if PINS.exists() else {}
    wanted = {name: f"{name}=={table['version']}" for name, table in known.items()}
    for word in arguments:
        name, mark, _ = word.partition("==")
        if not mark:
            print(f"{word}: give an exact version, as {word}==1.2.3", file=sys.stderr)
            return 2
        wanted[name] = word
    text = HEADER
    for name, requirement in sorted(wanted.items()):
        version, rows = wheels_of(requirement)
        text += f'\n[{name}]\nversion = "{version}"\nwheels = [\n'
        text += "".join(f'  {{ file = "{file}", sha256 = "{digest}", size = {size} }},\n' for file, digest, size in rows)
        text += "]\n"
        print(f"{name} {version}: {len(rows)} wheels")
    PINS.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
