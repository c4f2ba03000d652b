"""How an app gets the client: the folder alone, copied, where nothing else is installed. The how-to pages say it so."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pypackpack import client

FOLDER = Path(client.__file__).parent
# -I and -S: neither the environment's packages, nor the person's, nor the folder that we stand in.
READ = """\
import importlib, sys
sys.path.insert(0, {place!r})
for name in {names!r}:
    importlib.import_module("{package}." + name)
from {package}.patch import PatchError, received
from {package}.resource import ResourceError, open_resource
from pathlib import Path
try:
    open_resource(__import__("os").devnull)
except ResourceError as error:
    print(type(error).__name__)
known = {{*sys.stdlib_module_names, "__main__", "{top}"}}
print(sorted(name for name in sys.modules if name.partition(".")[0] not in known))
"""


@pytest.mark.parametrize("package", ["pypackpack.client", "billing.client", "own"])
def test_the_folder_alone_is_enough_under_its_name_and_under_another(tmp_path: Path, package: str) -> None:
    place = tmp_path / "app" / package.replace(".", "/")
    shutil.copytree(FOLDER, place, ignore=shutil.ignore_patterns("__pycache__"))
    for path in place.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("pypackpack.client", package), encoding="utf-8")
    names = sorted(path.stem for path in place.glob("*.py") if path.stem != "__init__")
    assert {"patch", "patch_installed", "resource", "resource_update"} <= set(names)
    code = READ.format(place=str(tmp_path / "app"), names=names, package=package, top=package.partition(".")[0])
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "DamagedResourceError\n[]\n"
