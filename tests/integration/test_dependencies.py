"""Dependencies of packages with the real uv and the real index: what is installed where, and that errors change nothing."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

import pytest

from pypackpack.middleware.project.read import load_project
from pypackpack.model.errors import (
    NoSuchDependencyError,
    NoWheelError,
    PackageIndexError,
    UsageError,
)
from tests.integration.shops import PYTHON, PackageShop, lay_out
from tests.snapshot import snapshot
from tests.together import at_once

if TYPE_CHECKING:
    from pathlib import Path


if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

pytestmark = pytest.mark.network


ROOT = '[project]\nname = "shop"\nversion = "1"\n\n[tool.pypackpack]\npackages = ["app"]\n'
APP = """\
# the shop itself
[project]
name = "app"
version = "1.0"
requires-python = ">=3.10"
dependencies = [
  "tabulate>=0.9",  # reports
]

[tool.pypackpack]
targets = [{targets}]
python = ["{python}"]
"""
# A name that is nobody's: it cannot be registered (PEP 503 names may not be that long on the public index).
NOBODYS = "pypackpack-test-" + "x" * 120


class Shop(PackageShop):
    """A project on disk with one package."""

    def write(self, *targets: str) -> None:
        listed = ", ".join(f'"{target}"' for target in targets)
        lay_out(self.root, ROOT, {"app": APP.format(targets=listed, python=PYTHON)})

    def wheel_tags(self, target: str) -> dict[str, set[str]]:
        return {name: set(tags) for (name, _), tags in self.tags(target).items()}


@pytest.fixture
def shop(tmp_path: Path, own_cache: Path) -> Shop:
    del own_cache
    made = Shop(tmp_path / "der läden")
    made.write("linux_x86_64", "windows_amd64", "macos_arm64")
    return made


def test_numpy_for_windows_and_linux(shop: Shop) -> None:
    change = shop.add("numpy", to=("windows", "linux"))
    assert shop.lines() == ["tabulate>=0.9", "numpy; sys_platform == 'win32' or sys_platform == 'linux'"]
    assert "# the shop itself" in (shop.app / "pyproject.toml").read_text(encoding="utf-8")
    assert "# reports" in (shop.app / "pyproject.toml").read_text(encoding="utf-8")
    assert {item.target for item in change.synced.environments} == {"linux_x86_64", "windows_amd64", "macos_arm64"}

    digits = PYTHON.replace(".", "")
    linux, windows, macos = (shop.wheel_tags(name) for name in ("linux_x86_64", "windows_amd64", "macos_arm64"))
    assert linux.pop("tabulate") == windows.pop("tabulate") == macos.pop("tabulate") == {"py3-none-any"}
    assert windows == {"numpy": {f"cp{digits}-cp{digits}-win_amd64"}}
    # The floor of linux_x86_64 is glibc 2.17; newer numpy has no wheel for it, so an older one is taken.
    assert linux == {"numpy": {f"cp{digits}-cp{digits}-{tag}_x86_64" for tag in ("manylinux_2_17", "manylinux2014")}}
    assert macos == {}
    assert any("linux_x86_64" in note for note in change.synced.notes)

    lock = (shop.app / "pyproject.lock").read_text(encoding="utf-8")
    assert str(shop.root) not in lock
    pylock = tomllib.loads((shop.app / "build/crossenv/windows_amd64/pylock.toml").read_text(encoding="utf-8"))
    assert {"numpy", "tabulate"} <= {item["name"] for item in pylock["packages"]}
    # Nothing of this machine: no scripts, no lock of uv's, no path of the interpreter that installed.
    assert not (shop.site("linux_x86_64") / "bin").exists()
    assert not list(shop.site("linux_x86_64").glob(".*"))

    linux_before = snapshot(shop.site("linux_x86_64"))
    shop.remove("numpy", of=("windows",))
    assert shop.lines() == ["tabulate>=0.9", "numpy; sys_platform == 'linux'"]
    assert shop.wheel_tags("windows_amd64") == {"tabulate": {"py3-none-any"}}
    assert snapshot(shop.site("linux_x86_64")) == linux_before

    shop.remove("numpy", of=("linux_x86_64",))
    assert shop.lines() == ["tabulate>=0.9"]
    assert set(shop.wheel_tags("linux_x86_64")) == {"tabulate"}


def test_sync_puts_right_what_was_changed_by_hand(shop: Shop) -> None:
    assert all(not item.unchanged for item in shop.sync().environments)
    before = {name: sorted(snapshot(shop.site(name))) for name in ("linux_x86_64", "windows_amd64")}
    assert all(item.unchanged for item in shop.sync().environments)
    module = next(shop.site("linux_x86_64").glob("tabulate*/__init__.py"), shop.site("linux_x86_64") / "tabulate.py")
    good = module.read_bytes()
    module.write_bytes(good + b"# mine\n")
    (shop.site("windows_amd64") / "stray.py").write_text("")
    changed = {item.target for item in shop.sync().environments if not item.unchanged}
    assert changed == {"linux_x86_64", "windows_amd64"}
    assert module.read_bytes() == good
    assert {name: sorted(snapshot(shop.site(name))) for name in before} == before


def test_nothing_to_do_asks_nobody(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.sync()

    def refuse(*words: object, **_: object) -> None:
        raise AssertionError(words)

    monkeypatch.setattr("pypackpack.backend.process.run", refuse)
    assert all(item.unchanged for item in shop.sync(offline=True).environments)
    # A package without any dependency needs no uv in the first place.
    (shop.app / "pyproject.toml").write_text(
        APP.format(targets='"linux_x86_64"', python=PYTHON).replace('  "tabulate>=0.9",  # reports\n', ""), encoding="utf-8"
    )
    result = shop.sync(offline=True)
    assert [item.removed for item in result.environments] == [(("tabulate", result.environments[0].removed[0][1]),)]
    assert list(shop.site("linux_x86_64").iterdir()) == []


def test_a_fresh_clone_gets_what_the_lock_says(shop: Shop) -> None:
    shop.sync()
    lock = (shop.app / "pyproject.lock").read_bytes()
    other = Shop(shop.root.parent / "clone")
    other.write("linux_x86_64", "windows_amd64", "macos_arm64")
    (other.app / "pyproject.lock").write_bytes(lock)
    result = other.sync(offline=True)
    assert result.locked == ()
    assert (other.app / "pyproject.lock").read_bytes() == lock


def test_a_damaged_lock_is_made_anew(shop: Shop) -> None:
    shop.sync()
    good = (shop.app / "pyproject.lock").read_bytes()
    (shop.app / "pyproject.lock").write_bytes(b"<<<<<<< HEAD\n" + good)
    assert shop.sync().locked == ("app",)
    assert (shop.app / "pyproject.lock").read_bytes() == good


def test_one_target_at_a_time(shop: Shop) -> None:
    result = shop.sync("windows")
    assert [item.target for item in result.environments] == ["windows_amd64"]
    assert not shop.site("linux_x86_64").exists()


def test_a_name_that_is_not_there(shop: Shop) -> None:
    shop.sync()
    error = shop.refused(NoSuchDependencyError, NOBODYS, to=("windows",))
    assert NOBODYS in error.message
    assert "windows_amd64" in error.message
    assert "linux" not in error.message
    assert NOBODYS in error.details


def test_a_version_that_is_not_there(shop: Shop) -> None:
    error = shop.refused(NoSuchDependencyError, "click>=9000")
    assert "click>=9000" in error.message


def test_a_target_without_a_wheel(shop: Shop) -> None:
    # The last release before wheels for Windows on ARM.
    shop.write("linux_x86_64", "windows_arm64")
    error = shop.refused(NoWheelError, "markupsafe==2.0.0", to=("windows_arm64",))
    assert "markupsafe has no wheel for windows_arm64" in error.message


def test_a_platform_that_uv_has_no_name_for_takes_pure_wheels_only(shop: Shop) -> None:
    shop.write("linux_armv7")  # alone: the machine that uv runs on is none of the lock's
    shop.sync()
    assert shop.wheel_tags("linux_armv7") == {"tabulate": {"py3-none-any"}}
    error = shop.refused(NoWheelError, "markupsafe")
    assert "linux_armv7" in error.message


def test_the_index_out_of_reach(shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shop.sync()
    monkeypatch.setenv("UV_INDEX_URL", "http://127.0.0.1:9/simple")  # the discard port: nobody listens
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    error = shop.refused(PackageIndexError, "click", to=("windows",))
    assert "out of reach" in error.message
    assert "click" in error.message
    assert "windows_amd64" in error.message
    assert "127.0.0.1:9" in error.details


def test_offline_and_not_here(shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    before = snapshot(shop.root)
    with pytest.raises(PackageIndexError, match="--offline") as caught:
        shop.sync(offline=True)
    assert "while online" in caught.value.hint
    assert snapshot(shop.root) == before


def test_words_that_are_wrong(shop: Shop) -> None:
    assert "not a requirement" in shop.refused(UsageError, "numpy>=").message
    assert "s3cret" not in shop.refused(UsageError, "git+https://user:s3cret@example.invalid/x.git").message
    assert "marker" in shop.refused(UsageError, "numpy; python_version < '3.12'", to=("windows",)).message
    before = snapshot(shop.root)
    with pytest.raises(UsageError, match=r"numpi.*not a dependency of app"):
        shop.remove("numpi")
    with pytest.raises(UsageError, match="cannot depend on itself"):
        shop.add("App")
    with pytest.raises(UsageError, match='"Six<1" and "six>1" are for one name'):
        shop.add("Six<1", "click", "six>1")
    assert snapshot(shop.root) == before


def test_the_projects_own_name_is_not_fetched_from_an_index(shop: Shop) -> None:
    name = load_project(shop.root).name
    assert "is the name of this project, and what an index has under it" in shop.refused(UsageError, f"{name}>=1").message


def test_what_a_marker_cannot_say(shop: Shop) -> None:
    shop.write("linux_x86_64", "linux_musl_x86_64")
    shop.add("markupsafe", to=("linux_musl_x86_64",))
    content = tomllib.loads((shop.app / "pyproject.toml").read_text(encoding="utf-8"))
    assert content["project"]["dependencies"] == ["tabulate>=0.9"]
    assert content["tool"]["pypackpack"]["target"] == {"linux_musl_x86_64": {"dependencies": ["markupsafe"]}}
    assert set(shop.wheel_tags("linux_x86_64")) == {"tabulate"}
    assert all("musllinux" in tag for tag in shop.wheel_tags("linux_musl_x86_64")["markupsafe"])
    shop.remove("markupsafe", of=("linux_musl_x86_64",))
    content = tomllib.loads((shop.app / "pyproject.toml").read_text(encoding="utf-8"))
    assert "target" not in content["tool"]["pypackpack"]
    assert set(shop.wheel_tags("linux_musl_x86_64")) == {"tabulate"}


def test_two_at_once(shop: Shop) -> None:
    at_once([shop.sync] * 2)
    assert set(shop.wheel_tags("linux_x86_64")) == {"tabulate"}
    assert [path.name for path in (shop.app / "build" / "crossenv").iterdir() if path.name.startswith(".")] == []


def test_a_failure_while_putting_in_place_puts_everything_back(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.sync()
    before = snapshot(shop.root)

    def refuse(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("pypackpack.middleware.project.edit.commit_edits", refuse)
        with contextlib.suppress(KeyboardInterrupt):
            shop.add("click")
    assert snapshot(shop.root) == before
    shop.add("click")
    assert set(shop.wheel_tags("macos_arm64")) == {"click", "tabulate"}
