"""The development environment with the real uv, over an index that is a folder."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pypackpack.backend import filesystem
from pypackpack.backend.filesystem import CACHE_VARIABLE
from pypackpack.backend.tools import venv
from pypackpack.frontend.cli.commands.dependency import development_lines
from pypackpack.frontend.cli.style import PLAIN
from pypackpack.middleware.clean import clean
from pypackpack.middleware.dependency.imports import import_requirements
from pypackpack.middleware.environment import development, development_change, development_tree
from pypackpack.middleware.environment.check import check_development
from pypackpack.middleware.package.manage import add_package, remove_package
from pypackpack.middleware.project.read import load_project
from pypackpack.middleware.target import table
from pypackpack.model.build import Silent
from pypackpack.model.errors import (
    ConflictError,
    DependencyConflictError,
    NameTakenError,
    NoSuchDependencyError,
    OutOfSyncError,
    PyPackPackError,
    UsageError,
)
from tests.integration.shops import PYTHON, lay_out
from tests.snapshot import snapshot
from tests.wheelhouse import wheel

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path

    from pypackpack.model.environment import DevelopmentChange, DevelopmentSync

ROOT = """\
# the whole shop
[project]
name = "shop"
version = "3.1"
requires-python = ">=3.10"
dependencies = []

[dependency-groups]
dev = [
  # tests
  "alpha>=1",  # everywhere
]

[tool.pypackpack]
packages = ["billing", "core"]

[[tool.uv.index]]
name = "here"
url = "../wheels"
format = "flat"
default = true
"""
BILLING = """\
[project]
name = "billing"
version = "1.0"
dependencies = ["core", "beta", "gamma; sys_platform == 'emscripten'"]

[tool.pypackpack]
targets = ["{host}", "emscripten"]

[tool.pypackpack.target.{host}]
dependencies = ["delta"]
"""
CORE = '[project]\nname = "core"\nversion = "1.0"\n\n[tool.pypackpack]\ntargets = ["{host}"]\n'
# A build backend without requirements: builds a wheel of one module, and an editable one that is the same.
BACKEND = """\
import os, zipfile
def build_wheel(folder, settings=None, metadata=None):
    name = "tool-0.1-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        archive.writestr("tool.py", "")
        archive.writestr("tool-0.1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: tool\\nVersion: 0.1\\n")
        archive.writestr("tool-0.1.dist-info/WHEEL", "Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr("tool-0.1.dist-info/RECORD", "tool.py,,\\n")
    return name
build_editable = build_wheel
"""
TOOL = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "tool"
version = "0.1"
"""


class Shop:
    """A project on disk with two packages, one of which needs the other."""

    def __init__(self, root: Path) -> None:
        self.root = root
        host = table.host_target().name
        packages = {"billing": BILLING.format(host=host), "core": CORE.format(host=host)}
        lay_out(root, ROOT, packages, python=PYTHON)

    def sync(self, *options: str) -> DevelopmentSync:
        return development.sync(load_project(self.root), uv_options=options, watcher=Silent())

    def add(self, *words: str, options: tuple[str, ...] = ()) -> DevelopmentChange:
        return development_change.add(load_project(self.root), words, Silent(), uv_options=options)

    def remove(self, *words: str, options: tuple[str, ...] = ()) -> DevelopmentChange:
        return development_change.remove(load_project(self.root), words, Silent(), uv_options=options)

    @property
    def content(self) -> dict[str, dict[str, object]]:
        return tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))

    @property
    def site(self) -> Path:
        found = venv.site_packages(self.root / ".venv")
        assert found is not None
        return found

    @property
    def locked(self) -> dict[str, dict[str, object]]:
        lock = tomllib.loads((self.root / "pyproject.lock").read_text(encoding="utf-8"))
        return {item["name"]: item for item in lock["package"]}

    def python(self, code: str) -> str:
        words = [venv.interpreter(self.root / ".venv"), "-c", code]
        return subprocess.run(words, capture_output=True, encoding="utf-8", check=True, cwd=self.root).stdout.strip()


@pytest.fixture
def shop(tmp_path: Path, own_cache: Path) -> Shop:
    del own_cache
    for name in ("alpha", "beta", "delta", "gamma", "zeta"):
        wheel(tmp_path / "wheels", name)
    wheel(tmp_path / "wheels", "alpha", "2.0", needs=("core",))
    wheel(tmp_path / "wheels", "core", "99.0")  # somebody else's
    wheel(tmp_path / "wheels", "alpha", "0.5")
    wheel(tmp_path / "wheels", "picky", needs=("alpha<1",))
    return Shop(tmp_path / "der läden")


def test_one_resolution_has_groups_packages_and_what_they_need_here(shop: Shop) -> None:
    made = shop.sync()
    assert made.installed == (("alpha", "2.0"), ("beta", "1.0"), ("delta", "1.0"))
    assert made.added == made.installed
    assert made.editable == ("billing", "core")
    assert made.locked
    assert shop.python("import billing, core; print(billing.NAME)") == "billing"
    # One lock, in uv's format, with paths that mean what they mean in the project; nobody else's `core` is in it.
    assert not list(shop.root.rglob("uv.lock"))
    assert shop.locked["core"]["source"] == {"virtual": "core"}
    assert shop.locked["alpha"]["source"] == {"registry": "../wheels"}
    again = shop.sync()
    assert again.unchanged
    assert not again.locked
    assert again.installed == made.installed
    # An edit is imported at once.
    (shop.root / "core" / "src" / "main" / "__init__.py").write_text("NAME = 'edited'\n", encoding="utf-8")
    assert shop.python("import core; print(core.NAME)") == "edited"
    tree = development_tree.said(load_project(shop.root), uv_options=("--depth", "1"))
    assert tree.splitlines()[0] == "shop"
    assert any("alpha v2.0 (group: dev)" in line for line in tree.splitlines())
    assert not any("gamma" in line for line in tree.splitlines())


def test_a_package_that_needs_a_folder(shop: Shop) -> None:
    tool = shop.root / "libs" / "tool"
    tool.mkdir(parents=True)
    (tool / "pyproject.toml").write_text(TOOL, encoding="utf-8")
    (tool / "backend.py").write_text(BACKEND, encoding="utf-8")
    file = shop.root / "core" / "pyproject.toml"
    file.write_text(file.read_text().replace('"1.0"\n', '"1.0"\ndependencies = ["tool @ ../libs/tool"]\n', 1), encoding="utf-8")
    made = shop.sync()
    assert ("tool", "0.1") in made.installed
    assert shop.locked["tool"]["source"] == {"directory": "libs/tool"}
    assert shop.python("import core, importlib.metadata as m; print(m.requires('core'))") == "['tool']"
    assert shop.sync().unchanged


def test_an_extra_and_a_package_of_one_name(shop: Shop) -> None:
    file = shop.root / "pyproject.toml"
    other = file.read_text(encoding="utf-8")
    ours = other + '\n[build-system]\nrequires = []\nbuild-backend = "pypackpack.build_api"\n'
    file.write_text(ours, encoding="utf-8")
    shop.sync()
    before = snapshot(shop.root)
    with pytest.raises(UsageError, match="--optional core: the extra of that name is the package core"):
        shop.add("zeta", options=("--optional", "Core"))
    assert snapshot(shop.root) == before
    file.write_text(ours + '\n[project.optional-dependencies]\nNew_One = ["zeta"]\n', encoding="utf-8")
    before = snapshot(shop.root)
    with pytest.raises(NameTakenError, match='the project has an extra "New_One"'):
        add_package(load_project(shop.root), "new-one", Silent())
    assert snapshot(shop.root) == before
    # Who builds with another backend offers packages by such extras.
    file.write_text(other + '\n[project.optional-dependencies]\nnew-one = ["zeta"]\n', encoding="utf-8")
    add_package(load_project(shop.root), "new-one", Silent())


def test_what_the_project_itself_has_is_not_taken_from_the_index(shop: Shop) -> None:
    file = shop.root / "pyproject.toml"
    file.write_text(file.read_text(encoding="utf-8") + '\n[tool.uv.workspace]\nmembers = ["libs/*"]\n', encoding="utf-8")
    (shop.root / "libs" / "one").mkdir(parents=True)
    (shop.root / "libs" / "one" / "pyproject.toml").write_text('[project]\nname = "lib.one"\n', encoding="utf-8")
    before = snapshot(shop.root)
    with pytest.raises(UsageError, match="shop is this project, which cannot depend on itself") as caught:
        shop.add("Shop>=1")
    assert "give the project another name in pyproject.toml" in caught.value.hint
    with pytest.raises(UsageError, match="lib-one would come from the index, and libs/one is a member") as caught:
        shop.add("lib-one>=1")
    assert caught.value.hint == "`pypackpack add --editable ./libs/one` takes the member."
    with pytest.raises(UsageError, match="--all-packages cannot be used here") as caught:
        shop.sync("--all-packages")
    assert "a uv workspace's member" in caught.value.hint
    assert snapshot(shop.root) == before


def test_a_damaged_lock_is_said_once(shop: Shop) -> None:
    shop.sync()
    (shop.root / "pyproject.lock").write_text("garbage", encoding="utf-8")
    heard = Silent()
    assert development.sync(load_project(shop.root), watcher=heard).locked
    assert len([note for note in heard.notes if "is damaged" in note]) == 1


def test_what_is_added_stands_where_it_belongs(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    change = shop.add("zeta")
    assert change.place == "dependency-groups.dev"
    assert change.lines == ("alpha>=1", "zeta>=1.0")
    assert change.synced is not None
    assert ("zeta", "1.0") in change.synced.added
    text = (shop.root / "pyproject.toml").read_text(encoding="utf-8")
    assert text == ROOT.replace('"alpha>=1",  # everywhere\n', '"alpha>=1",  # everywhere\n  "zeta>=1.0",\n')
    assert shop.sync().unchanged  # nothing is left for it

    shop.add("delta", options=("--group", "docs"))
    shop.add("beta<2", options=("--optional=web",))
    assert shop.content["dependency-groups"]["docs"] == ["delta>=1.0"]
    assert shop.content["project"]["optional-dependencies"] == {"web": ["beta<2"]}
    assert shop.content["project"]["dependencies"] == []

    removed = shop.remove("zeta")
    assert removed.synced is not None
    assert removed.synced.removed == (("zeta", "1.0"),)
    shop.remove("delta", options=("--group", "docs"))
    shop.remove("beta", options=("--optional", "web"))
    assert shop.content["dependency-groups"] == {"dev": ["alpha>=1"], "docs": []}
    assert "# tests" in (shop.root / "pyproject.toml").read_text(encoding="utf-8")

    # Paths, as typed where one stands, and git.
    tool = shop.root / "libs" / "tool"
    tool.mkdir(parents=True)
    (tool / "pyproject.toml").write_text(TOOL, encoding="utf-8")
    (tool / "backend.py").write_text(BACKEND, encoding="utf-8")
    monkeypatch.chdir(shop.root / "libs")
    shop.add("./tool", options=("--editable",))
    assert shop.content["tool"]["uv"]["sources"] == {"tool": {"path": "libs/tool", "editable": True}}
    assert shop.locked["tool"]["source"] == {"editable": "libs/tool"}
    assert shop.sync().unchanged
    shop.remove("tool")
    assert "sources" not in shop.content["tool"]["uv"]
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"], ["tag", "v1"]):
        subprocess.run([*git, *words], cwd=tool, check=True)
    shop.add(f"git+{tool.as_uri()}", options=("--tag", "v1"))
    assert shop.content["tool"]["uv"]["sources"]["tool"] == {"git": tool.as_uri(), "tag": "v1"}
    assert (shop.site / "tool.py").is_file()


def test_a_path_that_is_not_in_the_clone(shop: Shop) -> None:
    text = ROOT.replace('"alpha>=1",', '"alpha>=1", "tool",') + '\n[tool.uv.sources]\ntool = { path = "../libs/tool" }\n'
    (shop.root / "pyproject.toml").write_text(text, encoding="utf-8")
    before = snapshot(shop.root)
    for offline in (True, False):
        with pytest.raises(NoSuchDependencyError, match="tool, and nothing is there"):
            development.sync(load_project(shop.root), offline=offline)
        assert snapshot(shop.root) == before  # not even a .venv


def test_a_changed_constraint_reaches_the_lock(shop: Shop) -> None:
    for version in ("1.1", "1.2"):
        wheel(shop.root.parent / "wheels", "zeta", version)
    wheel(shop.root.parent / "wheels", "tower", needs=("zeta",))
    (shop.root / "requirements.txt").write_text("tower\n-c limits.txt\n", encoding="utf-8")

    def held(limits: str) -> tuple[list[str], list[str]]:
        (shop.root / "limits.txt").write_text(limits, encoding="utf-8")
        found = import_requirements(load_project(shop.root), [shop.root / "requirements.txt"])
        return [line.text for line in found.constraints], [item.what for item in found.not_taken]

    assert held("zeta==1.0\n") == (["zeta==1.0"], [])
    # The requirements are the same: uv would take the lock as it is.
    assert held("zeta==1.1\ngamma<1\nnobodys==3\nzeta<1 ; python_version < '3'\n") == (
        ['zeta<1; python_version < "3"', "zeta==1.1"],
        ["gamma<1", "nobodys==3"],
    )
    assert shop.locked["zeta"]["version"] == "1.1"
    assert (shop.site / "zeta-1.1.dist-info").is_dir()
    before = snapshot(shop.root)
    with pytest.raises(PyPackPackError, match="no version of zeta"):
        held("zeta==7\n")
    (shop.root / "limits.txt").write_text("zeta==1.1\ngamma<1\nnobodys==3\nzeta<1 ; python_version < '3'\n", encoding="utf-8")
    assert snapshot(shop.root) == before


def test_a_failure_changes_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.sync()
    before = snapshot(shop.root)

    def fails(
        kind: type[PyPackPackError], words: str, *requirements: str, options: tuple[str, ...] = (), verb: str = "add"
    ) -> None:
        with pytest.raises(kind) as caught:
            (shop.add if verb == "add" else shop.remove)(*requirements, options=options)
        assert words in caught.value.message + caught.value.hint
        assert caught.value.hint
        assert snapshot(shop.root) == before

    fails(NoSuchDependencyError, "the package index has no nobodys", "nobodys")
    fails(DependencyConflictError, "exclude each other", "picky")
    fails(UsageError, "a package of this project", "billing")
    fails(UsageError, "a package of this project", str(shop.root / "core"))
    fails(UsageError, "not in [dependency-groups] dev", "zeta", verb="remove")
    fails(UsageError, "add --group dev", "alpha", verb="remove", options=("--group", "docs"))
    fails(UsageError, "pypackpack billing remove beta", "beta", verb="remove")
    fails(UsageError, "--script cannot be used here", "zeta", options=("--script", "x.py"))
    fails(UsageError, "python use", "zeta", options=("-p", "3.12"))
    fails(
        UsageError,
        "a url with a password in it",
        "tool @ http://robot:secret@localhost:1/tool-0.1-py3-none-any.whl",
        options=("--frozen",),
    )
    assert shop.sync().unchanged

    def changed(*_: object) -> None:
        msg = "changed meanwhile"
        raise ConflictError(msg, hint="Again.")

    monkeypatch.setattr(development_change, "commit_edits", changed)
    installed = shop.sync().installed
    with pytest.raises(ConflictError):
        shop.add("zeta")
    assert (shop.root / "pyproject.toml").read_text(encoding="utf-8") == ROOT
    assert not (shop.site / "zeta").exists()
    assert shop.sync().installed == installed


def test_ctrl_c_while_the_lock_is_written_takes_everything_back(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = shop.sync().installed
    before = {name: (shop.root / name).read_bytes() for name in ("pyproject.toml", "pyproject.lock")}
    write = filesystem.write_atomic

    def stop(path: Path, data: bytes | str, **more: bool) -> None:
        if path.name == "pyproject.lock":
            raise KeyboardInterrupt
        write(path, data, **more)

    monkeypatch.setattr(filesystem, "write_atomic", stop)
    with pytest.raises(KeyboardInterrupt):
        shop.add("zeta")
    monkeypatch.undo()
    monkeypatch.setenv(CACHE_VARIABLE, os.fspath(shop.root.parent / "cache"))
    assert {name: (shop.root / name).read_bytes() for name in before} == before
    assert not (shop.site / "zeta").exists()
    assert shop.sync().installed == installed
    assert not list(shop.root.glob(".py*.*.*"))


def test_ctrl_c_in_the_middle_of_uv_s_work_says_what_completes_it(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.sync()

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(development.Work, "install", stop)  # when it is interrupted no child is started any more
        with pytest.raises(KeyboardInterrupt) as caught:
            shop.add("zeta")
        assert caught.value.__notes__ == [
            f"{shop.root / '.venv'} is not as it was: interrupted",
            "`pypackpack sync` makes .venv what the lock says.",
        ]
        (shop.root / "core" / "pyproject.toml").write_text(
            CORE.format(host="linux_x86_64") + "[project.urls]\n", encoding="utf-8"
        )
        with pytest.raises(KeyboardInterrupt) as caught:
            development.refresh(load_project(shop.root), Silent())
        assert caught.value.__notes__ == [".venv may not be up to date: `pypackpack sync` completes it."]
    assert not shop.sync().unchanged
    assert shop.sync().unchanged


def test_what_stands_in_the_environment_s_place_is_left_alone(tmp_path: Path, shop: Shop) -> None:
    (shop.root / ".venv").write_text("mine")
    with pytest.raises(UsageError, match=r"\.venv is no folder"):
        shop.sync()
    assert (shop.root / ".venv").read_text() == "mine"
    (shop.root / ".venv").unlink()
    (shop.root / ".venv").symlink_to(tmp_path / "nowhere", target_is_directory=True)
    with pytest.raises(UsageError, match="a link to what is not there"):
        shop.sync()
    assert (shop.root / ".venv").is_symlink()


def test_an_environment_changed_by_hand_is_put_right(shop: Shop) -> None:
    shop.sync()
    before = snapshot(shop.site)
    (shop.site / "alpha" / "__init__.py").unlink()
    (shop.site / "_editable_core.pth").unlink()
    extra = shop.site / "extra-1.0.dist-info"
    extra.mkdir()
    (extra / "METADATA").write_text("Metadata-Version: 2.1\nName: extra\nVersion: 1.0\n", encoding="utf-8")
    (extra / "RECORD").write_text("extra-1.0.dist-info/METADATA,,\nextra-1.0.dist-info/RECORD,,\n", encoding="utf-8")
    made = shop.sync()
    assert made.removed == (("extra", "1.0"),)
    assert set(snapshot(shop.site)) == set(before)
    venv.interpreter(shop.root / ".venv").unlink()
    shop.sync()
    assert shop.python("import alpha, core; print(alpha.VERSION)") == "2.0"
    (shop.root / "pyproject.lock").write_text("version = \n", encoding="utf-8")
    assert shop.sync().locked
    assert shop.locked["alpha"]["version"] == "2.0"


def test_options_are_for_this_one_time(shop: Shop) -> None:
    shop.sync()
    # As `uv add` does: what was just added is there, and a plain sync takes it away again.
    added = shop.add("zeta", options=("--group", "docs"))
    assert added.synced is not None
    assert added.synced.added == (("zeta", "1.0"),)
    assert [each.line for each in added.added] == ["zeta>=1.0"]
    with pytest.raises(OutOfSyncError):
        check_development(load_project(shop.root))
    assert shop.sync().removed == (("zeta", "1.0"),)
    said = shop.sync("--group", "docs", "--dry-run")
    assert said.planned
    assert said.added == (("zeta", "1.0"),)
    assert not (shop.site / "zeta").exists()
    assert shop.sync("--group", "docs").added == (("zeta", "1.0"),)
    assert shop.sync().removed == (("zeta", "1.0"),)
    without = shop.add("delta", options=("--no-sync", "--group", "more"))
    assert without.synced is None
    assert "delta" in shop.locked


def test_a_package_comes_and_goes_in_the_environment(shop: Shop) -> None:
    shop.sync()
    project = load_project(shop.root)
    add_package(project, "web", Silent())
    assert development.refresh(load_project(shop.root), Silent()) is not None
    assert shop.python("import web; print('there')") == "there"
    remove_package(load_project(shop.root), "web")
    made = development.refresh(load_project(shop.root), Silent())
    assert made is not None
    assert ("web", "0.1.0") in made.removed
    assert "web" not in shop.locked


def test_what_became_of_a_packages_commands_is_said(shop: Shop) -> None:
    """What `sync --check` finds different, `sync` does not call "as it was"."""

    def said() -> list[str]:
        return [line.strip() for line in development_lines(shop.sync(), PLAIN)]

    first, *_ = said()
    assert "as it was" not in first
    assert said()[0].endswith("from their sources, as it was")
    path = shop.root / "core" / "pyproject.toml"
    before = path.read_text(encoding="utf-8")
    path.write_text(before + '\n[project.scripts]\nserve = "core:main"\n', encoding="utf-8")
    (planned,) = development_lines(shop.sync("--dry-run"), PLAIN)
    assert planned.endswith("  to set up anew: core")
    line, *changes = said()
    assert (line.rpartition(", ")[2], changes) == ("2 from their sources", ["+ command serve"])
    assert said()[0].endswith(", as it was")
    program = venv.interpreter(shop.root / ".venv").parent / ("serve.cmd" if sys.platform == "win32" else "serve")
    program.unlink()
    assert said()[0].endswith(", set up anew: core")
    assert program.exists()
    path.write_text(before, encoding="utf-8")
    assert said()[1:] == ["- command serve"]
    assert not program.exists()


def test_a_project_that_needs_nothing_gets_no_lock_until_it_is_asked_for(shop: Shop) -> None:
    text = ROOT.replace('  "alpha>=1",  # everywhere\n', "").replace('["billing", "core"]', '["core"]')
    (shop.root / "pyproject.toml").write_text(text, encoding="utf-8")
    project = load_project(shop.root)
    assert development.refresh(project, Silent()) is None  # there is no .venv, and it is not made by the way
    with development.working(project, Silent()) as work:
        work.ensure()
    made = development.refresh(project, Silent())
    assert made is not None
    assert made.editable == ("core",)
    assert not (shop.root / "pyproject.lock").exists()
    assert shop.sync().locked


def test_a_check_says_whether_all_is_as_locked_and_changes_nothing(shop: Shop) -> None:
    def checked() -> str:
        before = snapshot(shop.root)
        said = ""
        try:
            check_development(load_project(shop.root))
        except OutOfSyncError as error:
            said = f"{error.message} {error.hint}"
        assert snapshot(shop.root) == before
        return said

    assert "no .venv" in checked()
    shop.sync()
    assert checked() == ""
    (shop.site / "alpha" / "more.py").write_text("", encoding="utf-8")
    assert "in .venv was changed" in checked()
    shop.sync()
    assert checked() == ""
    with (shop.root / "core" / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write("# more\n")
    assert checked() == "", "a comment is no setting"
    settings = (shop.root / "core" / "pyproject.toml").read_text(encoding="utf-8")
    (shop.root / "core" / "pyproject.toml").write_text(settings.replace("targets = [", 'targets = ["linux_armv7", '))
    assert checked() == "", "nothing that depends on the target is in .venv"
    before = snapshot(shop.root / ".venv")
    (shop.root / "core" / "build" / "packpack").mkdir()
    assert [each.parts for each in clean(load_project(shop.root), ("core",), Silent()).packages] == [("packpack",)]
    assert (snapshot(shop.root / ".venv") == before, checked()) == (True, "")
    billing = (shop.root / "billing" / "pyproject.toml").read_text(encoding="utf-8")
    (shop.root / "billing" / "pyproject.toml").write_text(billing.replace(', "emscripten"]', "]"))
    assert "has changed since the last sync" in checked(), "a target there has dependencies of its own"
    shop.sync()
    with (shop.root / "core" / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write("[project.urls]\nhome = 'https://example.org'\n")
    assert "has changed since the last sync" in checked()
    shop.sync("--reinstall")
    assert checked().endswith("that time only Run `pypackpack sync`.")
