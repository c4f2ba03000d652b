"""Fresh environments, projects in git, and a git server: what tests of the build hooks share."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pypackpack
from pypackpack.backend.tools import uv

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(pypackpack.__file__).parents[1]
IDENTITY = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main")


@dataclass(frozen=True)
class Environment:
    """A virtual environment that imports pypackpack and its tools from where the tests do, and has nothing of its own."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def site(self) -> Path:
        return next(self.folder.glob("[Ll]ib/**/site-packages"))

    def installed(self) -> dict[str, str]:
        """Name → version of what was installed."""
        found = (path.name.removesuffix(".dist-info").split("-") for path in self.site.glob("*.dist-info"))
        return dict(found)

    def run(self, *words: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run its Python."""
        return _run([self.python, *words], cwd, env)

    def ask(self, code: str, cwd: Path) -> str:
        """Run a line of Python that must succeed; what it prints."""
        done = self.run("-c", code, cwd=cwd)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def pip(self, *words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        """``pip install`` without an index: a name that we let slip would be an error."""
        extra = ["install", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
        return self.run("-m", "pip", *extra, *words, cwd=cwd)

    def uv(self, *words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        """``uv pip install``, in the same way."""
        extra = ["pip", "install", "--no-index", "--no-build-isolation", "--python", self.python]
        return _run([uv.executable(), *extra, *words], cwd, None)

    def install(self, frontend: str, *words: str | Path, cwd: Path) -> None:
        """Install by ``pip`` or ``uv``; must succeed."""
        done = (self.pip if frontend == "pip" else self.uv)(*words, cwd=cwd)
        assert done.returncode == 0, done.stdout + done.stderr


def _run(words: list[str | Path], cwd: Path, env: Mapping[str, str] | None) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_INDEX", "GIT_"))}
    environment |= {"PYTHONUTF8": "1", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", **(env or {})}
    environment.pop("PYTHONPATH", None)
    return subprocess.run(words, cwd=cwd, env=environment, capture_output=True, encoding="utf-8", check=False, timeout=300)


def fresh_environment(folder: Path, *, inherit: bool = True) -> Environment:
    """Make an environment; ``inherit``: the tests' own packages (pypackpack, pip, build) can be imported in it."""
    subprocess.run([uv.executable(), "venv", "-q", "-p", sys.executable, folder], check=True, capture_output=True)
    made = Environment(folder)
    if inherit:
        made.site.joinpath("tests.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return made


def git(folder: Path, *words: str) -> str:
    """Run git in a folder; what it prints."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    done = subprocess.run(
        ["git", *IDENTITY, *words], cwd=folder, env=environment, check=True, capture_output=True, encoding="utf-8"
    )
    return done.stdout.strip()


def commit(folder: Path, message: str) -> str:
    """Commit everything in a checkout, made if needed; the commit."""
    if not (folder / ".git").exists():
        git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", message)
    return git(folder, "rev-parse", "HEAD")


SYSTEM = '[build-system]\nrequires = ["pypackpack>=0.3"]\nbuild-backend = "pypackpack.build_api"\n\n'


def write_project(root: Path, *, settings: str = "") -> Path:
    """Write a project of three packages: ``app`` needs ``core``, and nobody needs ``other``; returns its root."""
    files = {
        "pyproject.toml": SYSTEM
        + '[project]\nname = "whole"\nversion = "1.0"\nreadme = "README.md"\nrequires-python = ">=3.10"\n'
        f'dynamic = ["optional-dependencies"]\n\n[tool.pypackpack]\npackages = ["core", "app", "other"]\n{settings}',
        "README.md": "# Whole\n",
        "LICENSE": "All yours.\n",
        "core/src/main/__init__.py": "def answer():\n    return 1\n",
        "core/src/main/data/note.txt": "main",
        "app/src/main/__init__.py": "from core import answer\n",
        "app/src/main/__main__.py": "from app import answer\n\nprint(answer())\n",
        "app/src/main/tool.py": "def main():\n    print('tool')\n",
        "other/src/main/__init__.py": "",
    }
    for name, needs in (("core", ""), ("app", '"core>=0.5"'), ("other", "")):
        scripts = '\n[project.scripts]\nthe-tool = "app.tool:main"\n' if name == "app" else ""
        readme = 'readme = "../README.md"\n' if name == "app" else ""
        files[f"{name}/pyproject.toml"] = (
            f'{SYSTEM}[project]\nname = "{name}"\nversion = "1.0"\n{readme}dependencies = [{needs}]\n'
            f'dynamic = ["optional-dependencies"]\n{scripts}\n[tool.pypackpack]\ntargets = ["linux_x86_64", "windows_amd64"]\n'
        )
    for place, text in files.items():
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


class _GitBackend(BaseHTTPRequestHandler):
    """Hands requests to git's own ``http-backend``, as a web server does by CGI (git-http-backend(1))."""

    folder: Path

    def _answer(self) -> None:
        path, _, query = self.path.partition("?")
        body = self._chunked() if self.headers.get("Transfer-Encoding") == "chunked" else self._sized()
        environment = {
            **os.environ,
            "GIT_PROJECT_ROOT": os.fspath(self.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=False)
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        fields = [line.partition(": ")[::2] for line in head.decode().split("\r\n") if line]
        self.send_response(int(dict(fields).get("Status", "200").split()[0]))
        for key, value in fields:
            if key != "Status":
                self.send_header(key, value)
        self.end_headers()
        self.wfile.write(rest)

    do_GET = do_POST = _answer  # noqa: N815 - the names that http.server calls

    def _sized(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _chunked(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        return body

    def log_message(self, *_words: object) -> None:
        """Stay quiet."""


@contextlib.contextmanager
def git_server(folder: Path) -> Iterator[str]:
    """Serve the bare repositories in a folder over HTTP; gives ``127.0.0.1:<port>``."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Backend", (_GitBackend,), {"folder": folder}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def published(checkout: Path, bare: Path) -> Path:
    """Publish a checkout as a bare repository; returns it."""
    git(checkout, "clone", "-q", "--bare", ".", os.fspath(bare))
    git(bare, "config", "uploadpack.allowFilter", "true")
    return bare


def pypackpack_wheel(folder: Path) -> Path:
    """Build the wheel of pypackpack itself, which is on no index under this name; returns it."""
    copy = folder / "pypackpack"
    shutil.copytree(ROOT / "pypackpack", copy / "pypackpack", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    subprocess.run([uv.executable(), "build", "-q", "--wheel", "-o", folder, copy], check=True, capture_output=True)
    return next(folder.glob("pypackpack-*.whl"))
