"""`tree` and `sync` with uv's options, over an index that is a folder: at the development level and at a package's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pypackpack.frontend.cli.main import run
from pypackpack.middleware.target import table
from tests.integration.shops import PYTHON, PackageShop, lay_out
from tests.snapshot import snapshot
from tests.wheelhouse import wheel

if TYPE_CHECKING:
    from pathlib import Path

ROOT = """\
[project]
name = "shop"
version = "1"
requires-python = ">=3.10"

[dependency-groups]
dev = ["alpha"]

[tool.pypackpack]
packages = ["app", "core"]

[[tool.uv.index]]
name = "house"
url = "wheels"
format = "flat"
default = true
"""
APP = """\
[project]
name = "app"
version = "1.0"
requires-python = ">=3.10"
dependencies = [{lines}]

[tool.pypackpack]
targets = [{targets}]
python = ["{python}"]

[tool.pypackpack.target.windows_amd64]
dependencies = [{windows}]
"""
CORE = '[project]\nname = "core"\nversion = "1.0"\ndependencies = ["leaf"]\n\n[tool.pypackpack]\ntargets = [{targets}]\n'
TARGETS = '"linux_x86_64", "windows_amd64"'
LINES = ("core", "pure[more]", "top")


class Shop(PackageShop):
    """A project of two packages, called as a person calls it."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__(root)
        self._capsys = capsys

    def needs(self, *lines: str, windows: tuple[str, ...] = ("delta",)) -> None:
        app = APP.format(lines=json.dumps(lines)[1:-1], windows=json.dumps(windows)[1:-1], targets=TARGETS, python=PYTHON)
        lay_out(self.root, ROOT, {"app": app, "core": CORE.format(targets=TARGETS)}, python=PYTHON)

    def __call__(self, *words: str, code: int = 0) -> str:
        assert run(words) == code
        said = self._capsys.readouterr()
        return said.err if code else said.out

    def data(self, *words: str) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self(*words, "--json"))


@pytest.fixture
def shop(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shop:
    del own_cache
    made = Shop(tmp_path / "shop", capsys)
    made.root.mkdir()
    index = made.root / "wheels"
    wheel(index, "pure", needs=["leaf", "other; extra == 'more'"], extras=["more"])
    wheel(index, "top", needs=["pure"])
    wheel(index, "old", needs=["leaf<2"])
    for name, version in (("alpha", "1.0"), ("delta", "1.0"), ("leaf", "1.0"), ("leaf", "2.0"), ("other", "1.0"), ("new", "1.0")):
        wheel(index, name, version)
    made.needs(*LINES)
    monkeypatch.chdir(made.root)
    return made


def test_the_tree_of_a_package_as_uv_shows_it(shop: Shop) -> None:
    shop("app", "sync")
    before = snapshot(shop.root)
    linux = ("--target", "linux")
    assert shop("app", "tree", *linux).splitlines()[3:] == [
        "├── core 1.0 (local)",
        "│   └── leaf 2.0",
        "├── pure[more] 1.0",
        "│   ├── leaf 2.0",
        "│   └── other 1.0",
        "└── top 1.0",
        "    └── pure 1.0",
        "        └── leaf 2.0",
    ]
    assert shop("app", "tree", "--depth=1", "--prune", "pure", *linux).splitlines()[3:] == ["├── core 1.0 (local)", "└── top 1.0"]
    upwards = ["leaf 2.0", "├── core 1.0 (local)", "│   └── app 1.0", "├── pure 1.0", "│   └── top 1.0"]
    upwards += ["│       └── app 1.0", "└── pure[more] 1.0", "    └── app 1.0"]
    lines = shop("app", "tree", "--invert", "--package", "leaf", *linux).splitlines()
    assert [line.removeprefix("└── ") if number == 0 else line[4:] for number, line in enumerate(lines[3:])] == upwards
    ends = shop.data("app", "tree", "--invert")
    assert ends["inverted"]
    assert {each["target"]: [node["name"] for node in each["roots"]] for each in ends["trees"]} == {
        "linux_x86_64": ["leaf", "other"],
        "windows_amd64": ["delta", "leaf", "other"],
    }
    # What only one target has is shown for it, and is nothing for the other one.
    text = shop("app", "tree", "--package", "delta", "--package=top", "-d0")
    assert "linux_x86_64" in text
    assert "delta 1.0" in text
    assert "pure" not in text
    assert "(nothing of it)" in shop("app", "tree", "--package", "delta")
    sizes = shop.data("tree", "--package", "app", "--package", "top", "--show-sizes", "--outdated")
    assert sizes["package"] == "app"
    assert [node["name"] for node in sizes["trees"][0]["roots"]] == ["top"]
    for words, message in [
        (("--package", "tpo"), 'not in the tree of app; did you mean "top"?'),
        (("--universal",), "`pypackpack app tree` has no option --universal"),
        (("--prune",), "--prune needs a value"),
        (("--outdated", "--offline"), "--offline keeps pypackpack from it"),
        (("--locked", "--frozen"), "exclude each other"),
    ]:
        assert message in shop("app", "tree", *words, code=2)
    assert snapshot(shop.root) == before


def test_the_tree_of_the_development_environment_as_data(shop: Shop) -> None:
    shop("sync")
    found = shop.data("tree")
    assert (found["package"], found["inverted"], len(found["trees"])) == ("shop", False, 1)
    (here,) = found["trees"]
    assert here["target"] == table.host_target().name
    roots = [node for node in here["roots"] if node["name"] != "delta"]  # which Windows alone has
    assert [(node["name"], node["version"], node["source"], node["group"]) for node in roots] == [
        ("app", "1.0", "local", ""),
        ("core", "1.0", "local", ""),
        ("alpha", "1.0", "", "dev"),
    ]
    app = here["roots"][0]["children"]
    assert [(node["name"], node["extras"], len(node["children"]), node["repeated"]) for node in app] == [
        ("core", [], 1, False),
        ("pure", ["more"], 2, False),
        ("top", [], 1, False),
    ]
    assert here["roots"][1]["repeated"]
    assert shop.data("tree", "--depth", "1", "--prune", "core", "--no-dev")["trees"][0]["roots"] == [
        {**here["roots"][0], "children": []}
    ]
    up = shop.data("tree", "--invert", "--package", "alpha")["trees"][0]["roots"]
    assert [(node["name"], node["group"]) for node in up[0]["children"]] == [("shop", "dev")]
    assert shop("tree", "--invert", "--package", "alpha").splitlines() == ["alpha v1.0", "└── shop (group: dev)"]
    assert "neither a package of the project shop nor in its tree" in shop("tree", "--package", "nothing", code=2)
    assert "not in the tree of the project shop" in json.loads(_out(shop, "tree", "--package", "nothing"))["error"]["message"]


def _out(shop: Shop, *words: str) -> str:
    assert run([*words, "--json"]) == 2
    return shop._capsys.readouterr().out


def test_a_packages_lock_is_taken_as_it_is_or_has_to_fit(shop: Shop) -> None:
    untouched = snapshot(shop.root)
    assert "there is no app/pyproject.lock yet, and --locked makes none" in shop("app", "sync", "--locked", code=1)
    assert "and --frozen makes none" in shop("app", "sync", "--frozen", code=1)
    assert shop("app", "sync", "--dry-run").splitlines()[:2] == [
        "would lock app",
        f"app  linux_x86_64   {PYTHON}  4 to install",
    ]
    assert snapshot(shop.root) == untouched
    shop("app", "sync")
    lock = shop.lock.read_bytes()
    assert shop("app", "sync", "--locked").count("as it was") == 2
    assert shop("app", "sync", "--dry-run").count("nothing to do") == 2

    shop.needs("old", "new", windows=("delta", "alpha"))
    before = snapshot(shop.root)
    assert "does not fit the settings any more" in shop("app", "sync", "--locked", code=1)
    assert "does not fit the settings any more" in shop("app", "tree", "--locked", code=1)
    planned = shop.data("app", "sync", "--dry-run")
    assert planned["planned"]
    assert planned["locked"] == ["app"]
    windows = planned["environments"][1]
    assert windows["added"] == [["alpha", "1.0"], ["leaf", "1.0"], ["new", "1.0"], ["old", "1.0"]]
    assert windows["removed"] == [["leaf", "2.0"], ["other", "1.0"], ["pure", "1.0"], ["top", "1.0"]]
    assert snapshot(shop.root) == before

    # What the lock says, not what the settings say: also for what somebody has spoilt.
    (shop.site("windows_amd64") / "top" / "__init__.py").unlink()
    assert "top 1.0" in shop("app", "tree", "--frozen")
    shop("app", "sync", "--frozen")
    assert shop.lock.read_bytes() == lock
    assert ("top", "1.0") in shop.tags("windows_amd64")
    assert ("delta", "1.0") in shop.tags("windows_amd64")
    assert ("alpha", "1.0") not in shop.tags("windows_amd64")
    assert "app is not in sync" in shop("app", "sync", "--check", code=1)
    assert "newer versions change the lock" in shop("app", "sync", "--frozen", "--upgrade", code=2)
    shop.lock.write_text("version = \n", encoding="utf-8")
    assert "is damaged" in shop("app", "sync", "--frozen", code=1)
    assert "locked app" in shop("app", "sync")
    assert ("alpha", "1.0") in shop.tags("windows_amd64")


def test_what_a_dry_run_says_is_what_happens_where_a_wheel_is_missing(shop: Shop) -> None:
    wheel(shop.root / "wheels", "fast", "1.0")
    # The linux target begins at an older glibc, which only uv's installation finds out.
    wheel(shop.root / "wheels", "fast", "2.0", "py3-none-manylinux_2_28_x86_64.win_amd64")
    shop.needs("fast", windows=())
    found = shop.data("app", "sync", "--dry-run")
    assert found["notes"] == [f"fast 1.0 is taken for linux_x86_64 with Python {PYTHON}, because 2.0 has no wheel for it"]
    planned = found["environments"]
    assert [each["added"] for each in planned] == [[["fast", "1.0"]], [["fast", "2.0"]]]
    made = shop.data("app", "sync")["environments"]
    assert [each["added"] for each in made] == [each["added"] for each in planned]


def test_the_lock_for_development_is_taken_as_it_is_or_has_to_fit(shop: Shop) -> None:
    untouched = snapshot(shop.root)
    assert "there is no pyproject.lock yet, and --locked makes none" in shop("sync", "--locked", code=1)
    fresh = shop("sync", "--dry-run").splitlines()
    assert fresh[0] == "would lock pyproject.lock"
    assert "    + alpha 1.0" in fresh
    assert snapshot(shop.root) == untouched
    shop("sync")
    assert "as it was" in shop("sync", "--locked")
    lock = (shop.root / "pyproject.lock").read_bytes()
    assert "nothing to do" in shop("sync", "--dry-run")
    assert "exclude each other" in shop("sync", "--locked", "--frozen", code=2)

    settings = shop.root / "pyproject.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace('["alpha"]', '["new"]'), encoding="utf-8")
    before = snapshot(shop.root)
    assert "error[out-of-sync]: pyproject.lock does not fit" in shop("sync", "--locked", code=1)
    planned = shop.data("sync", "--dry-run")
    assert (planned["planned"], planned["locked"]) == (True, True)
    assert (planned["added"], planned["removed"]) == ([["new", "1.0"]], [["alpha", "1.0"]])
    assert snapshot(shop.root) == before
    assert "0 " not in shop("sync", "--frozen")
    assert (shop.root / "pyproject.lock").read_bytes() == lock
    assert ".venv is not in sync" in shop("sync", "--check", code=1)
    made = shop.data("sync")
    assert (made["added"], made["removed"]) == (planned["added"], planned["removed"])
    shop("sync", "--check")
    (shop.root / "pyproject.lock").write_text("version = \n", encoding="utf-8")
    assert "is damaged" in shop("sync", "--frozen", code=1)


def test_add_says_what_changed_where_and_for_how_long(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop("sync")
    assert shop("app", "add", "new").splitlines()[:2] == ["app: dependencies changed", "  + new"]
    narrowed = shop("app", "add", "new==1.0", "--target", "windows").splitlines()
    assert narrowed[1:4] == ["  + new; sys_platform != 'win32'", "  + new==1.0; sys_platform == 'win32'", "  - new"]
    assert shop("app", "remove", "new").splitlines()[1:3] == [
        "  - new; sys_platform != 'win32'",
        "  - new==1.0; sys_platform == 'win32'",
    ]
    assert shop("app", "add", "top").splitlines()[0] == "app: dependencies as before"
    assert shop.data("app", "add", "leaf<2", "--target", "windows")["added"] == [
        {"line": "leaf<2; sys_platform == 'win32'", "target": ""}
    ]
    assert run(["add", "new", "--group", "lint"]) == 0
    said = capsys.readouterr()
    assert said.err == "the group lint is in .venv until the next `pypackpack sync`; `pypackpack sync --group lint` keeps it\n"
    assert said.out.splitlines()[:2] == ["dependency-groups.lint: changed", "  + new>=1.0"]
    assert "    + new 1.0" in said.out
    assert "    - new 1.0" in shop("sync")
    monkeypatch.chdir(shop.root / "app")
    assert run(["add", "new"]) == 0
    said = capsys.readouterr()
    assert said.err == (
        "dependency-groups.dev of the project shop is meant; the package app has its own: `pypackpack app add new`\n"
    )
    assert run(["remove", "alpha", "--json"]) == 0
    said = capsys.readouterr()
    assert [each["line"] for each in json.loads(said.out)["removed"]] == ["alpha"]


def test_a_path_is_a_dependency_by_the_name_of_what_lies_there(shop: Shop) -> None:
    file = wheel(shop.root / "libs", "thing")
    assert shop("app", "add", f"libs/{file.name}").splitlines()[1] == f"  + thing @ ../libs/{file.name}"
    assert ("thing", "1.0") in shop.tags("windows_amd64")
    assert "did you mean --editable?" in shop("app", "add", "-e", "./libs", code=2).lower()
    refused = shop("app", "add", "--editable", "./libs", code=2)
    assert "the environments of targets hold copies" in refused
    assert "`pypackpack app add ./libs`" in refused
    assert "neither a folder nor a file" in shop("app", "add", "./nothing", code=2)
