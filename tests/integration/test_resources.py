"""Archives of data files by the command line, and what the documentation says of them, over a real server."""

from __future__ import annotations

import functools
import json
import re
import shutil
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from pypackpack.client.resource import open_resource
from tests.builds import ROOT, run
from tests.cache_servers import nginx
from tests.data_project import FILES, project

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cache_servers import CacheServer


@pytest.fixture
def server(tmp_path: Path) -> CacheServer:
    with nginx(tmp_path / "nginx") as running:
        yield running


def command(root: Path, *words: str, code: int = 0) -> str:
    done = run([sys.executable, "-m", "pypackpack", *words], cwd=root, env={"PYTHONPATH": str(ROOT), "NO_COLOR": "1"})
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.usefixtures("own_cache")
def test_the_documented_update_fetches_by_ranges_what_it_lacks(tmp_path: Path, server: CacheServer) -> None:
    text = (ROOT / "docs" / "how-to" / "resources.md").read_text(encoding="utf-8")
    reading, updating = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    files = {**FILES, "main/letters/head.txt": b"Dear", "main/prices.db": bytes(range(256)) * 8000}
    root = project(tmp_path, files, targets=("linux_x86_64",))
    made = root / "small" / "build" / "packpack" / "resource" / "small-1.0-any.resource"
    assert "1 archive" in command(root, "build", "small", "resource")
    old, new = tmp_path / "billing-1.4.0-any.resource", server.files / "billing-1.5.0-any.resource"
    shutil.copy(made, old)
    said = run([sys.executable, "-c", reading], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)})
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("head.txt True\n8 [")

    words = root / "small" / "src" / "main" / "data" / "words.txt"
    words.write_bytes(words.read_bytes().replace(b"77 words", b"seventy-seven words"))
    (event, *_, last) = [json.loads(line) for line in command(root, "build", "small", "resource", "--json").splitlines()]
    assert (event["bundle"], event["type"], event["level"]) == ("resource", "", "")
    assert [(each["kind"], each["run"], each["python"]) for each in last["artifacts"]] == [("resource", "", None)]
    shutil.copy(made, new)
    with open_resource(new) as resource:
        identity = resource.index.identity
    code = updating.replace("https://example.org", server.url).replace('identity="…"', f'identity="{identity}"')
    said = run([sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)})
    assert said.returncode == 0, said.stderr
    assert (tmp_path / new.name).read_bytes() == new.read_bytes()
    fetched, whole = re.fullmatch(r"(\d+) bytes of (\d+)\n", said.stdout).groups()
    assert int(fetched) < int(whole) / 10
    lines = [line.split() for line in server.log.read_text(encoding="utf-8").splitlines()]
    assert {line[8] for line in lines} == {"206"}
    assert sum(int(line[9]) for line in lines) == int(fetched)


def test_the_documented_update_says_when_a_server_knows_no_ranges(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "how-to" / "resources.md").read_text(encoding="utf-8")
    _, updating = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (tmp_path / "billing-1.5.0-any.resource").write_bytes(bytes(1 << 16))
    handler = functools.partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        code = updating.replace("https://example.org", f"http://127.0.0.1:{serving.server_port}")
        said = run([sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)})
        serving.shutdown()
    assert said.returncode == 1
    assert said.stderr.splitlines()[-1].endswith("the server sends no ranges, its answer is 200")


@pytest.mark.usefixtures("own_cache")
def test_what_the_command_line_says_of_archives(tmp_path: Path) -> None:
    root = project(tmp_path, {**FILES, "windows/data/one.txt": b"windows"}, targets=("linux_x86_64", "windows_amd64"))
    assert "6 of 6 tasks would run" in command(root, "build", "small", "resource", "--dry-run")
    said = command(root, "build", "small", "resource", "--explain", "--profile")
    assert "2 archives" in said
    assert "small-1.0-windows.resource" in said
    page = (root / "small" / "build" / "packpack" / "profile.html").read_text(encoding="utf-8")
    assert "pypackpack build small resource" in page
    assert "6 tasks, 0 to do" in command(root, "tasks", "small", "resource")
    assert "(6 tasks, 6 from the cache)" in command(root, "build", "small", "resource")
    assert "no data files" in command(project(tmp_path / "empty", {"main/__init__.py": b""}), "build", "small", "resource", code=1)
