"""``<project>[<package>] @ git+…`` by pip and uv, over HTTP and from a path: that package, what it needs of the project, no more."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tests.integration import frontends

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``plain.git``, and ``deep.git`` with the project in a subfolder; each answers 1 at the tag v1 and 2 at its head."""
    folder = tmp_path_factory.mktemp("git")
    for name, below in (("plain", "."), ("deep", "python/parts")):
        checkout = folder / name
        project = frontends.write_project(checkout / below)
        frontends.commit(checkout, "one")
        frontends.git(checkout, "tag", "v1")
        (project / "core/src/main/__init__.py").write_text("def answer():\n    return 2\n", encoding="utf-8")
        frontends.commit(checkout, "two")
        frontends.published(checkout, folder / f"{name}.git")
    return folder


@pytest.fixture(scope="module")
def server(repositories: Path) -> Iterator[str]:
    with frontends.git_server(repositories) as address:
        yield address


def direct_url(environment: frontends.Environment, name: str) -> dict[str, object]:
    return json.loads(next(environment.site.glob(f"{name}-*.dist-info/direct_url.json")).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("frontend", "transport", "layout", "at", "answer"),
    [
        ("pip", "http", "plain", "v1", "1"),
        ("pip", "file", "deep", "HEAD", "2"),
        ("uv", "http", "deep", "v1", "1"),
        ("uv", "file", "plain", "HEAD", "2"),
    ],
)
def test_one_package_with_what_it_needs(
    frontend: str, transport: str, layout: str, at: str, answer: str, repositories: Path, server: str, tmp_path: Path
) -> None:
    bare = repositories / f"{layout}.git"
    commit = frontends.git(bare, "rev-parse", at)
    url = f"git+http://somebody:s3cret@{server}/{layout}.git" if transport == "http" else f"git+{bare.as_uri()}"
    below = "#subdirectory=python/parts" if layout == "deep" else ""
    environment = frontends.fresh_environment(tmp_path / "env")
    # Under uv each package is checked out from another folder of its cache: they must agree all the same on where core comes from.
    extras = "app,core" if transport == "http" else "app"
    environment.install(frontend, f"whole[{extras}] @ {url}@{commit if at == 'HEAD' else at}{below}", cwd=tmp_path)
    assert environment.installed() == {"whole": "1.0", "app": "1.0", "core": "1.0"}
    assert environment.ask("import app, core; print(app.answer())", tmp_path) == answer
    facts = direct_url(environment, "core")
    assert facts["vcs_info"]["commit_id"] == commit  # type: ignore[index]
    assert facts["subdirectory"] == ("python/parts/core" if layout == "deep" else "core")
    metadata = "".join(path.read_text(encoding="utf-8") for path in environment.site.glob("*.dist-info/METADATA"))
    assert "s3cret" not in metadata
    if frontend == "pip":  # what uv checks out knows only of uv's cache
        assert facts["url"] == (f"http://{server}/{layout}.git" if transport == "http" else bare.as_uri())
        assert f"@{commit}#subdirectory={'python/parts/' if layout == 'deep' else ''}other" in metadata


def test_the_repository_of_the_settings_goes_before_the_remote(repositories: Path, server: str, tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    frontends.write_project(checkout, settings=f'repository = "http://{server}/named.git"\n')
    commit = frontends.commit(checkout, "one")
    frontends.published(checkout, repositories / "named.git")
    environment = frontends.fresh_environment(tmp_path / "env")
    environment.install("uv", f"whole[app] @ git+{checkout.as_uri()}", cwd=tmp_path)
    assert direct_url(environment, "core") == {
        "url": f"http://{server}/named.git",
        "subdirectory": "core",
        "vcs_info": {"vcs": "git", "requested_revision": commit, "commit_id": commit},
    }


def test_in_an_environment_of_its_own_for_the_build(server: str, tmp_path: Path) -> None:
    """Nothing of the tests' own environment is at hand: uv installs the backend with all that it needs."""
    wheel = frontends.pypackpack_wheel(tmp_path / "wheel")
    constraint = tmp_path / "constraint.txt"
    constraint.write_text(f"pypackpack @ {wheel.as_uri()}\n", encoding="utf-8")
    environment = frontends.fresh_environment(tmp_path / "env", inherit=False)
    words = ["pip", "install", "--build-constraint", constraint, "--python", environment.python]
    uv = os.fspath(frontends.uv.executable())
    done = frontends._run([uv, *words, f"whole[app] @ git+http://{server}/plain.git@v1"], tmp_path, None)
    assert done.returncode == 0, done.stderr
    assert environment.installed() == {"whole": "1.0", "app": "1.0", "core": "1.0"}
    assert environment.run("-m", "app", cwd=tmp_path).stdout == "1\n"
