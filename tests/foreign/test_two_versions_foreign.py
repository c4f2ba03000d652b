"""What is installed on another platform becomes the next version there, machine code and data, by the client alone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tests.builds import PYTHON, ROOT, unpack
from tests.two_versions import ASK, Story, answers

if TYPE_CHECKING:
    from conftest import PythonOf

TARGET = "linux_arm64"
APPLY = """
import sys
from pathlib import Path
from pypackpack.client.patch_installed import patch_installed

print(patch_installed(Path(sys.argv[1]), Path(sys.argv[2])).result.version)
"""


def test_machine_code_of_another_platform_is_patched_there(tmp_path: Path, foreign_python: PythonOf) -> None:
    python = foreign_python(TARGET, PYTHON)
    story = Story(tmp_path, lambda _command: None, level="native", targets=[TARGET])
    words = ("--type", "release", "--level", "native")
    made = story.ppp("build", "twover", "source", "single", *words)
    site = unpack([Path(each["path"]) for each in made["artifacts"]], tmp_path / "site")
    story.ppp("release", "twover")
    story.change()
    (patch,) = story.patch()

    client = tmp_path / "client"
    (client / "pypackpack").mkdir(parents=True)
    shutil.copy(ROOT / "pypackpack" / "__init__.py", client / "pypackpack")
    shutil.copytree(ROOT / "pypackpack" / "client", client / "pypackpack" / "client")
    old, new = answers("so")
    assert python.run(ASK, paths=[site]).stdout.strip() == old
    done = python.run(APPLY, paths=[client, patch.parent, site], args=[python.see(patch), python.see(site)])
    assert done.stdout.strip() == "1.1", done.stderr
    assert python.run(ASK, paths=[site]).stdout.strip() == new
