from __future__ import annotations

import os
from pathlib import Path

from pypackpack.middleware.project import paths

ROOT = Path(os.path.abspath(os.sep)) / "shop" / "app"  # noqa: PTH100 - a path of this system, nothing on disk


def test_lines_without_a_relative_path_stay_as_they_are() -> None:
    for text in ("numpy>=2; sys_platform == 'win32'", "a @ https://example.org/a-1-py3-none-any.whl", "a @ git+ssh://git@x/y@v1"):
        assert paths.rebased_line(text, ROOT.parent / "core", ROOT) == text
        assert paths.sources_of([text], "../..") == ([text], {})
        assert paths.absolute_line(text, ROOT) == text


def test_a_path_of_another_package_is_seen_from_ours() -> None:
    assert paths.rebased_line("a @ ./libs/a ; sys_platform == 'win32'", ROOT.parent / "core", ROOT) == (
        "a @ ../core/libs/a ; sys_platform == 'win32'"
    )
    assert paths.rebased_line("a @ ./libs/a", ROOT, ROOT) == "a @ ./libs/a"


def test_uv_gets_paths_as_sources_with_their_markers() -> None:
    plain, sources = paths.sources_of(["My.Lib[x] @ ./libs/a ; sys_platform == 'win32'", "b"], "../../..")
    assert plain == ['My.Lib[x]; sys_platform == "win32"', "b"]
    assert sources == {"my-lib": [{"path": "../../../libs/a", "marker": 'sys_platform == "win32"'}]}


def test_settings_of_the_project_are_seen_from_the_package() -> None:
    said = {
        "find-links": ["wheels", "https://example.org/all"],
        "index": [{"name": "house", "url": "./index"}, {"url": "https://example.org/simple"}],
        "sources": {"a": {"path": "libs/a"}, "b": [{"git": "https://example.org/b"}, {"path": "../b"}]},
        "prerelease": "allow",
    }
    seen = paths.rebased(said, ROOT.parent, ROOT)
    assert seen["find-links"] == ["../wheels", "https://example.org/all"]
    assert seen["index"] == [{"name": "house", "url": "../index"}, {"url": "https://example.org/simple"}]
    assert seen["sources"] == {"a": {"path": "../libs/a"}, "b": [{"git": "https://example.org/b"}, {"path": "../../b"}]}
    assert seen["prerelease"] == "allow"
    below = paths.below(seen, "../../..")
    assert below["find-links"][0] == "../../../../wheels"
    assert paths.absolute(seen, ROOT)["find-links"][0] == (ROOT.parent / "wheels").resolve().as_posix()
