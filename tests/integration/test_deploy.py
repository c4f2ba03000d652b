"""`deploy` against a real index on this machine, then pip and uv install from it; and against servers that misbehave."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import sys
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pypackpack.backend import filesystem, network, process, simple_index
from pypackpack.backend.tools import uv, uv_publish
from pypackpack.frontend.cli import main
from pypackpack.model.errors import PackageIndexError
from tests import builds
from tests.integration import devpi_index
from tests.integration.private_index import SECRET, USER, served
from tests.private_sigstore import Sigstore, Who, attestation, statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOST_WHEEL = "py3-none-manylinux"
FILES = {"main/__init__.py": "from small.mod import answer\n", "windows/only.py": "HERE = True\n"}


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials but those that a test gives."""
    for name in [name for name in os.environ if name.startswith("UV_PUBLISH")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", os.fspath(tmp_path / "no-netrc"))
    monkeypatch.setattr(network, "TIMEOUT", 1.0)


@pytest.fixture
def released(small_project: Callable[..., Path], own_cache: Path) -> Path:  # noqa: ARG001 - has to be there
    """A project with two wheels of a release: one for this machine, one for Windows."""
    root = small_project(FILES, targets=("linux_x86_64", "windows_amd64"))
    build(root)
    return root


def build(root: Path, *words: str) -> None:
    line = ["--project", os.fspath(root), "build", "small", "source", "single", "--type", "release", "--quiet", *words]
    assert main.run(line) == 0


def deploy(root: Path, to: str, *words: str) -> int:
    return main.run(["--project", os.fspath(root), "deploy", "small", "source", "--to", to, *words])


def log_in(monkeypatch: pytest.MonkeyPatch, password: str = SECRET) -> None:
    monkeypatch.setenv("UV_PUBLISH_USERNAME", USER)
    monkeypatch.setenv("UV_PUBLISH_PASSWORD", password)


def test_a_release_goes_to_an_index_and_pip_and_uv_install_it(
    released: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    files = tmp_path / "files"
    files.mkdir()
    started: list[str] = []
    start = process._popen
    monkeypatch.setattr(process, "_popen", lambda words, **more: started.extend(map(str, words)) or start(words, **more))
    with served(files) as index:
        assert deploy(released, index.url) == 1
        said = capfd.readouterr().err
        assert "does not let us in (401" in said
        assert "UV_PUBLISH_TOKEN" in said
        log_in(monkeypatch)

        assert deploy(released, index.url) == 2  # one of the two cannot be run here
        said = capfd.readouterr().err
        assert "built, not run: small-1.0-py3-none-win_amd64.whl" in said
        assert "--allow-unverified" in said
        assert list(files.iterdir()) == []

        assert deploy(released, index.url, "--target", "host", "--verbose") == 0
        said = "".join(capfd.readouterr())
        assert "uploaded" in said
        assert "run here" in said
        assert "small has no description" in said
        [first] = files.iterdir()
        assert HOST_WHEEL in first.name

        assert deploy(released, index.url, "--allow-unverified", "--dry-run", "--json") == 0
        planned = json.loads(capfd.readouterr().out)
        assert [(each["state"], each["run"]) for each in planned["files"]] == [
            ("already there", ""),
            ("to upload", "built, not run"),
        ]
        assert len(list(files.iterdir())) == 1

        assert deploy(released, index.url, "--allow-unverified", "--json") == 0
        done = json.loads(capfd.readouterr().out)
        assert [each["state"] for each in done["files"]] == ["already there", "uploaded"]
        assert len(list(files.iterdir())) == 2
        assert started
        assert not [word for word in started if SECRET in word]
        assert SECRET not in said

        for number, install in enumerate((["-m", "pip", "install", "--no-cache-dir"], None)):
            place = tmp_path / f"site{number}"
            if install:
                command = [sys.executable, *install, "--index-url", index.url_with_secret, "--target", place, "small"]
            else:
                command = [
                    uv.executable(),
                    "pip",
                    "install",
                    "-q",
                    "--index-url",
                    index.url_with_secret,
                    "--target",
                    place,
                    "small",
                ]
            got = builds.run(command, cwd=tmp_path)
            assert got.returncode == 0, got.stdout + got.stderr
            asked = builds.run([sys.executable, "-c", "import small; print(small.answer())"], cwd=place)
            assert asked.stdout.strip() == "42", asked.stderr

        # The same version with other bytes.
        (released / "small/src/main/mod.py").write_text("def answer():\n    return 43\n", encoding="utf-8")
        build(released)
        before = {path.name: path.read_bytes() for path in files.iterdir()}
        assert deploy(released, index.url) == 1
        said = capfd.readouterr().err
        assert "has small-1.0-py3-none-manylinux" in said
        assert "with other bytes" in said
        assert "raise the version" in said
        assert {path.name: path.read_bytes() for path in files.iterdir()} == before


@pytest.mark.network
@pytest.mark.slow
def test_the_same_with_devpi(
    released: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    python = devpi_index.install(tmp_path / "devpi")
    (tmp_path / "server").mkdir()
    with devpi_index.served(tmp_path / "server", python) as url:
        assert deploy(released, url, "--allow-unverified") == 1
        said = capfd.readouterr().err
        assert "does not let us upload" in said
        assert "Missing credentials" in said
        assert "oidc" not in said  # trusted publishing, which uv asks for by TLS where there is none
        log_in(monkeypatch, "another word")
        assert deploy(released, url, "--allow-unverified") == 1
        assert "another word" not in capfd.readouterr().err
        log_in(monkeypatch, devpi_index.SECRET)

        states = []
        for _ in range(2):
            assert deploy(released, url, "--allow-unverified", "--json") == 0
            states.append([each["state"] for each in json.loads(capfd.readouterr().out)["files"]])
        assert states == [["uploaded"] * 2, ["already there"] * 2]

        for number, install in enumerate(([sys.executable, "-m", "pip", "install", "--no-cache-dir"], [uv.executable(), "pip", "install"])):
            place = tmp_path / f"site{number}"
            got = builds.run([*install, "-q", "--index-url", url, "--target", place, "small==1.0"], cwd=tmp_path)
            assert got.returncode == 0, got.stdout + got.stderr
            asked = builds.run([sys.executable, "-c", "import small; print(small.answer())"], cwd=place)
            assert asked.stdout.strip() == "42", asked.stderr

        (released / "small/src/main/mod.py").write_text("def answer():\n    return 43\n", encoding="utf-8")
        build(released)
        assert deploy(released, url, "--allow-unverified") == 1
        assert "with other bytes" in capfd.readouterr().err
        # And where the list does not say it, the server does: what is there is not volatile.
        [wheel] = (released / "small/build/packpack/single/release/instant").glob("*x86_64.whl")
        with pytest.raises(PackageIndexError, match="did not take") as caught:
            uv_publish.publish(wheel, url.removesuffix("+simple/"), released)
        assert "409" in caught.value.details


def test_a_wheel_that_was_released_with_another_content_stays_here(
    released: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["--project", os.fspath(released), "release", "small"]) == 0
    (tmp_path / "files").mkdir()
    with served(tmp_path / "files", guarded=("update",)) as index:
        assert deploy(released, index.url, "--allow-unverified", "--dry-run") == 0
        (released / "small/src/main/mod.py").write_text("def answer():\n    return 43\n", encoding="utf-8")
        build(released)
        capfd.readouterr()
        for words in (("--dry-run",), ()):
            assert deploy(released, index.url, "--allow-unverified", *words) == 1
            said = capfd.readouterr().err
            assert "error[conflict]: small-1.0-py3-none-manylinux" in said
            assert "was released before, with another content" in said
        assert list((tmp_path / "files").iterdir()) == []


def test_a_wheel_that_cannot_be_imported_stays_here(
    small_project: Callable[..., Path],
    own_cache: Path,  # noqa: ARG001 - has to be there
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    code = "import os\nif 'UV_PUBLISH_PASSWORD' in os.environ: raise SystemExit('a leak')\nfrom small import gone\n"
    root = small_project({"main/__init__.py": code})
    build(root)
    (tmp_path / "files").mkdir()
    log_in(monkeypatch)
    with served(tmp_path / "files") as index:
        assert deploy(root, index.url, "--allow-unverified") == 1
    said = capfd.readouterr().err
    assert "cannot be imported on this machine, so nothing was uploaded" in said
    assert "cannot import name 'gone'" in said
    assert list((tmp_path / "files").iterdir()) == []


def test_a_package_that_needs_another_of_the_project_is_run_with_its_wheel(
    small_project: Callable[..., Path],
    own_cache: Path,  # noqa: ARG001 - has to be there
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    root = small_project({"main/__init__.py": "from pypackpack_core_unpublished import WORD\n"})
    core = root / "pypackpack-core-unpublished"
    shutil.copytree(root / "small", core)
    (core / "src/main/__init__.py").write_text("WORD = 'own'\n", encoding="utf-8")
    settings = (root / "small/pyproject.toml").read_text(encoding="utf-8")
    (core / "pyproject.toml").write_text(settings.replace('"small"', f'"{core.name}"'), encoding="utf-8")
    needs = f'version = "1.0"\ndependencies = ["{core.name}"]'
    (root / "small/pyproject.toml").write_text(settings.replace('version = "1.0"', needs), encoding="utf-8")
    whole = (root / "pyproject.toml").read_text(encoding="utf-8")
    (root / "pyproject.toml").write_text(whole.replace('["small"]', f'["small", "{core.name}"]'), encoding="utf-8")
    build(root)
    (tmp_path / "files").mkdir()
    log_in(monkeypatch)
    with served(tmp_path / "files", ["update"]) as index:
        assert deploy(root, index.url) == 1
        assert "cannot be installed on this machine" in capfd.readouterr().err
        line = ["build", core.name, "source", "single", "--type", "release", "--level", "bytecode", "--quiet"]
        assert main.run(["--project", os.fspath(root), *line]) == 0
        assert deploy(root, index.url) == 0
    assert [path.name for path in (tmp_path / "files").iterdir()] == ["small-1.0-py3-none-any.whl"]


def test_only_wheels_of_the_present_settings_that_are_what_they_say(
    small_project: Callable[..., Path],
    own_cache: Path,  # noqa: ARG001 - has to be there
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    root = small_project({"main/__init__.py": ""}, targets=("linux_x86_64", "windows_amd64"))
    folder = root / "small/build/packpack/single/release/instant"
    build(root)
    assert [path.name for path in folder.iterdir()] == ["small-1.0-py3-none-any.whl"]
    (root / "small/src/windows").mkdir()
    (root / "small/src/windows/only.py").write_text("HERE = True\n", encoding="utf-8")
    capfd.readouterr()
    build(root, "--target", "windows")
    (tmp_path / "files").mkdir()
    log_in(monkeypatch)

    def ask(*words: str) -> dict[str, Any]:
        assert main.run(["--project", os.fspath(root), *words, "--json"]) == 0
        said = capfd.readouterr().out
        return json.loads(said.splitlines()[-1] if words[0] == "build" else said)

    words = ["build", "small", "source", "single", "--type", "release"]
    for _ in range(2):  # the second time nothing is done
        [warning] = ask(*words)["warnings"]
        assert warning.startswith("small-1.0-py3-none-any.whl is of an earlier build")
    current = {path.name for path in folder.iterdir()} - {"small-1.0-py3-none-any.whl"}
    assert len(current) == 2

    released = ask("release", "small")
    assert {each["file"] for each in released["primaries"]} == current
    assert [name for name, _ in released["left_out"]] == ["small-1.0-py3-none-any.whl"]

    with served(tmp_path / "files", ["update"]) as index:
        deployed = ["deploy", "small", "source", "--to", index.url, "--allow-unverified"]
        planned = ask(*deployed, "--dry-run")
        assert {Path(each["path"]).name for each in planned["files"]} == current
        assert [each["verified"] for each in planned["files"]] == [True, True]
        assert [name for name, _ in planned["left_out"]] == ["small-1.0-py3-none-any.whl"]

        [wheel] = folder.glob("*win_amd64.whl")
        with zipfile.ZipFile(wheel) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data + b"# more" * name.endswith("only.py"))
        assert main.run(["--project", os.fspath(root), *deployed]) == 1
        said = capfd.readouterr().err
        assert "win_amd64.whl is not what it says it is, so nothing was uploaded" in said
        assert "small/only.py" in said
        assert "RECORD" in said
        assert list((tmp_path / "files").iterdir()) == []


POSTED: list[bytes] = []
"""What was sent to `Moody`."""


class Moody(BaseHTTPRequestHandler):
    """An index whose answers are its path's first word."""

    def do_GET(self) -> None:
        if self.path.startswith("/slow/"):
            time.sleep(2.5)
        code = {"broken": 503, "gone": 200, "odd": 200}.get(self.path.split("/")[1], 404)
        body = b"{" if code == 200 else b"no"
        with contextlib.suppress(OSError):
            self.send_response(code)
            self.send_header("Content-Type", "application/vnd.pypi.simple.v1+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def do_POST(self) -> None:
        POSTED.append(self.rfile.read(int(self.headers["Content-Length"])))
        body = f"we take no small things from {self.headers['Authorization']}".encode()
        self.send_response(403 if self.path.startswith("/guarded") else 400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@pytest.fixture
def moody() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Moody) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_index_that_misbehaves_is_one_sentence(
    released: Path, moody: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log_in(monkeypatch)
    POSTED.clear()
    [wheel] = (released / "small/build/packpack/single/release/instant").glob("*x86_64.whl")
    beside = wheel.with_name(f"{wheel.name}.publish.attestation")
    for digest in ("0" * 64, filesystem.sha256_file(wheel)):
        signed = attestation(Sigstore().attest(statement((wheel.name, digest)), Who()))
        beside.write_text(json.dumps({**signed, "marked": True}), encoding="utf-8")
        if digest == "0" * 64:
            assert deploy(released, f"{moody}/picky/", "--target", "host") == 1
            assert "so nothing was uploaded" in capfd.readouterr().err
            assert not POSTED
    wrong = {
        "http://127.0.0.1:9/simple/": "http://127.0.0.1:9 is out of reach: Connection refused",
        f"{moody}/slow/simple/": "is out of reach: it did not answer within 1 s",
        f"{moody}/broken/simple/": "is out of reach: 503 Service Unavailable",
        f"{moody}/odd/simple/": "answers something else than a list of files",
        f"{moody}/picky/": "did not take small-1.0-py3-none-manylinux",
        f"{moody}/guarded/": "does not let us upload small-1.0-py3-none-manylinux",
    }
    for url, sentence in wrong.items():
        assert deploy(released, url, "--target", "host") == 1, url
        said = capfd.readouterr().err
        assert sentence in next(line for line in said.splitlines() if line.startswith("error[")), url
        assert "hint: " in said, url
        assert SECRET not in said, url
        assert base64.b64encode(f"{USER}:{SECRET}".encode()).decode() not in said, url
        if "picky" in url:
            assert "we take no small things from Basic ****" in said
    assert POSTED  # with what attests the wheel
    assert all(b'name="attestations"' in body and b'"marked"' in body for body in POSTED)
    monkeypatch.setattr(simple_index, "MOST", 0)
    assert deploy(released, f"{moody}/odd/simple/", "--target", "host") == 1
    assert "sends more than 0 MiB" in capfd.readouterr().err
