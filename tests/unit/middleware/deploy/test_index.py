"""What is sent, what is skipped, and what is said when an index takes a part."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pypackpack.backend import simple_index
from pypackpack.backend.tools import uv_publish
from pypackpack.middleware.deploy import index
from pypackpack.middleware.deploy.place import place_of
from pypackpack.model.build import Silent
from pypackpack.model.deploy import THERE, UPLOADED, DeployRequest, Release
from pypackpack.model.errors import ConflictError, PackageIndexError, ToolError, UsageError
from pypackpack.model.project import BuildSettings, BundleSettings, Package, Project

PLACE = place_of("http://h/simple/")
PACKAGE = Package("a", "a", Path("a"), "1", (), (), (), {}, {"": BuildSettings()}, BundleSettings())
PROJECT = Project("whole", Path(), (PACKAGE,))


def release(number: int) -> Release:
    return Release(Path(f"a-{number}.whl"), "a", "1", "py3", "none", ("any",), 1, f"{number:064}")


def test_where_nothing_was_built_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "pyproject.toml").write_text('[project]\nname = "a"\nversion = "1"\n', encoding="utf-8")
    whole = '[project]\nname = "whole"\nversion = "1"\n[tool.pypackpack]\npackages = ["a"]\n'
    (tmp_path / "pyproject.toml").write_text(whole, encoding="utf-8")
    with pytest.raises(UsageError, match="there is no release wheel of a 1"):
        index.deploy(DeployRequest(tmp_path, "a", "pypi"), Silent())
    assert not (tmp_path / "a" / "build").exists()


@pytest.mark.parametrize(("line", "said"), [("", True), ('description = ""\n', True), ('description = "Prints bills"\n', False)])
def test_a_package_without_a_description_is_told(line: str, said: bool, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f'[project]\nname = "a"\nversion = "1"\n{line}', encoding="utf-8")
    watcher = Silent()
    index._say_if_undescribed(replace(PACKAGE, root=tmp_path), watcher)
    assert ["a has no description, so its wheels have no Summary" in each for each in watcher.notes] == [True] * said


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the index has."""
    files: dict[str, str] = {}
    monkeypatch.setattr(index.IndexLogin, "split", lambda _self, url: (url, ""))
    monkeypatch.setattr(simple_index, "listed", lambda *_: dict(files))
    return files


def publishing(monkeypatch: pytest.MonkeyPatch, there: dict[str, str], refused: str = "", arrives: str = "") -> None:
    def publish(file: Path, _url: str, _project: Path) -> None:
        if file.name == refused:
            there.update({file.name: arrives} if arrives else {})
            raise PackageIndexError(f"h did not take {file.name}", hint="Why.", details="its words")
        there[file.name] = f"{int(file.stem[2:]):064}"

    monkeypatch.setattr(uv_publish, "publish", publish)


def test_a_part_that_arrived_is_named(there: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    publishing(monkeypatch, there, refused="a-2.whl")
    with pytest.raises(PackageIndexError, match=r"did not take a-2.whl; 1 of 4 files were uploaded \(a-1.whl\)") as caught:
        index._send(PROJECT, PACKAGE, [release(number) for number in range(1, 5)], PLACE, 1, Silent())
    assert "goes on with the others" in caught.value.hint
    assert caught.value.details == "its words"
    assert sorted(there) == ["a-1.whl"]  # and no more after the one that was refused


def test_an_upload_whose_answer_was_lost_is_there(there: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    publishing(monkeypatch, there, refused="a-2.whl", arrives=f"{2:064}")
    sent = index._send(PROJECT, PACKAGE, [release(1), release(2)], PLACE, 2, Silent())
    assert sent == {Path("a-1.whl"): UPLOADED, Path("a-2.whl"): THERE}


def test_somebody_else_was_quicker_with_another_file(there: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    publishing(monkeypatch, there, refused="a-2.whl", arrives=f"{3:064}")
    with pytest.raises(ConflictError, match="with other bytes"):
        index._send(PROJECT, PACKAGE, [release(2)], PLACE, 2, Silent())


def test_a_list_without_digests_tells_nothing() -> None:
    with pytest.raises(ConflictError, match="does not say its sha256"):
        index._stands(release(1), {"a-1.whl": ""}, PLACE)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("error: Failed\n  cause: Server returned status code 403 Forbidden. s3cr3t", "does not let us upload"),
        ("error: Missing credentials for http://h/", "does not let us upload"),
        ("error: Failed\n cause: client error (Connect)\n cause: tcp connect error", "is out of reach"),
        ("Hashing a-401.whl\nerror: status code 400. a 403 would be: unknown", "did not take"),
    ],
)
def test_what_uv_says_is_one_sentence_without_secrets(words: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_PUBLISH_TOKEN", "s3cr3t")
    error = uv_publish._explained(Path("a.whl"), "http://h/", ToolError("failed", details=words))
    assert message in error.message
    assert error.details.startswith("error: ")
    assert "s3cr3t" not in error.details


def test_what_a_package_that_is_tried_must_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["ACTIONS_ID_TOKEN_REQUEST_TOKEN", "PYPI_ID_TOKEN", "UV_PUBLISH_PASSWORD", "UV_PUBLISH_TOKEN", "UV_PUBLISH_USERNAME"]
    for name in [*names, "UV_PUBLISH_URL", "TOKEN"]:
        monkeypatch.setenv(name, "x")
    assert [name for name in uv_publish.logins() if name != "BUILDKITE_AGENT_ACCESS_TOKEN"] == names


def test_credentials_for_uploads_go_to_no_other_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UV_PUBLISH_TOKEN", raising=False)
    monkeypatch.setenv("UV_PUBLISH_USERNAME", "u")
    monkeypatch.setenv("UV_PUBLISH_PASSWORD", "p")
    assert uv_publish.authorization("https://h/simple/", "https://h/") == "Basic dTpw"
    assert uv_publish.authorization("http://h/simple/", "https://h/") == ""
    assert uv_publish.authorization("https://h:8443/simple/", "https://h/") == ""
    assert uv_publish.authorization("https://pypi.org/simple/", "https://upload.pypi.org/legacy/") == ""
