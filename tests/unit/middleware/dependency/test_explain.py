"""uv's words, as uv 0.13 says them, and what a person is told. The integration tests see whether uv still says them."""

from __future__ import annotations

import pytest

from pypackpack.middleware.dependency.explain import explained, offer, platforms_of_wheels, says_no_wheel, wheelless
from pypackpack.middleware.environment.lock import Needs, question_text
from pypackpack.middleware.target import table
from pypackpack.model.errors import (
    DamagedLockError,
    DependencyConflictError,
    NewerLockError,
    NoSuchDependencyError,
    NoWheelError,
    PackageIndexError,
    PyPackPackError,
    ToolError,
)

TARGETS = tuple(table.find(name) for name in ("linux_x86_64", "windows_amd64", "windows_arm64"))
NEEDS = Needs("app", ("foo>=3; sys_platform == 'win32'", "bar"), {}, TARGETS, ">=3.11", {})
SPLIT = (
    "error: No solution found when resolving dependencies for split (markers: python_full_version >= '3.12' and "
    "platform_machine == 'ARM64' and sys_platform == 'win32')\n"
)


def said(words: str) -> PyPackPackError:
    return explained(ToolError("resolving failed", details=words), NEEDS)


@pytest.mark.parametrize(
    ("words", "kind", "named"),
    [
        (
            SPLIT + "  cause: Because foo was not found in the package registry and your project depends on foo, we can …",
            NoSuchDependencyError,
            ("no foo", "app", "windows_amd64 and windows_arm64"),
        ),
        (
            SPLIT + "  cause: Because there are no versions of foo{sys_platform == 'win32'} and your project depends on …",
            NoSuchDependencyError,
            ("no foo", "app", "windows_amd64 and windows_arm64"),
        ),
        (
            SPLIT + "  cause: Because only foo<=2.5 is available and your project depends on foo>=3, we can conclude that …",
            NoSuchDependencyError,
            ("no version of foo", "foo>=3", "windows_arm64"),
        ),
        (
            SPLIT + "  cause: Because your project depends on lib and only lib==0.1.0 is available, we can conclude that your\n"
            "project depends on lib==0.1.0. (1)\n\nBecause all versions of bar depend on foo<2 and lib==0.1.0 depends on bar, we\n"
            "can conclude that lib==0.1.0 depends on foo<2.\nAnd because app:dev depends on foo>=2, we can conclude that your\n"
            "project's requirements are unsatisfiable.",
            DependencyConflictError,
            ("exclude each other", "bar needs foo<2", "app:dev needs foo>=2"),
        ),
        (
            SPLIT + "  cause: Because bar==2.0.0 has no usable wheels and your project depends on bar==2.0.0\n\n"
            "hint: Wheels are required for `bar` because building from source is disabled for all packages",
            NoWheelError,
            ("bar has no wheel", "windows_arm64"),
        ),
        (
            "error: Package `bar` can't be installed because it is marked as `--no-build` but has no binary distribution",
            NoWheelError,
            ("bar has no wheel", "linux_x86_64"),
        ),
        (
            (
                "error: Request failed after 3 retries\n  cause: Failed to fetch: http://127.0.0.1:9/simple/foo/\n"
                "  cause: error sending request for url\n  cause: Connection refused (os error 111)"
            ),
            PackageIndexError,
            ("out of reach", "foo and bar", "linux_x86_64"),
        ),
        (
            "error: Because foo was not found in the cache and your project depends on foo",
            PackageIndexError,
            ("foo, which app needs", "--offline"),
        ),
        (
            "error: The lockfile at `pyproject.lock` uses an unsupported schema version (v99, but only v1 is supported).",
            NewerLockError,
            ("the lock of app", "newer uv"),
        ),
        ("error: HTTP status client error (401 Unauthorized) for url (https://example.org)", PackageIndexError, ("let us in",)),
        (
            "error: Because your project depends on bar<2 and bar>2, we can conclude that your requirements are unsatisfiable.",
            DependencyConflictError,
            ("exclude each other", "app"),
        ),
        ("error: something new", ToolError, ("could not be installed", "app")),
    ],
)
def test_each_failure_has_its_own_words(words: str, kind: type[PyPackPackError], named: tuple[str, ...]) -> None:
    error = said(words)
    assert type(error) is kind
    for word in named:
        assert word in error.message
    assert error.hint
    assert error.details == words


def test_what_an_offline_machine_lacks_is_said_without_a_double_no() -> None:
    error = said("cause: Network connectivity is disabled, but the requested data wasn't found in the cache: https://example.org")
    assert error.message.startswith("not everything that app needs is on this machine, and --offline")
    assert said("foo was not found in the cache").message.startswith(
        "foo, which app needs, is not on this machine, and --offline"
    )


OFFLINE = (
    "Because there are no versions of foo{sys_platform == 'win32'} and your project depends on foo{sys_platform == 'win32'}",
    "Because foo was not found in the package registry and your project depends on foo",
    "Because only foo<=2.5 is available and your project depends on foo>=3, we can conclude that these are unsatisfiable.",
)


@pytest.mark.parametrize("words", OFFLINE)
def test_offline_nothing_is_said_of_the_index(words: str) -> None:
    error = explained(ToolError("resolving failed", details=SPLIT + words), NEEDS, offline=True)
    assert type(error) is PackageIndexError
    assert error.message.startswith("foo")
    assert "which app needs, is not on this machine, and --offline" in error.message
    assert "without --offline" in error.hint
    assert "pypackpack vendor" in error.hint


def test_offline_a_conflict_stays_one() -> None:
    words = "Because bar depends on leaf<2 and baz depends on leaf>=2, we can conclude that your requirements are unsatisfiable."
    assert type(explained(ToolError("x", details=words), NEEDS, offline=True)) is DependencyConflictError


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("Because there is no version of pytest==99 and app:dev depends on pytest==99, we can conclude that", "pytest==99"),
        (
            "Because only pytest<=9.2.0 is available and app:dev depends on one of:\n    pytest>98,<99\n    pytest>99\nwe can",
            "pytest>98,<99 or pytest>99",
        ),
        ("Because there is no version of pytest==99, we can conclude", "pytest==99"),
        ("Because there is no version of pytest and app:dev depends on pytest, we can conclude that", "pytest"),
    ],
)
def test_the_version_that_is_not_there_is_named(words: str, asked: str) -> None:
    assert f"it asks for {asked} on" in said(words).message


def test_advice_for_those_who_call_uv_is_left_out() -> None:
    words = SPLIT + "  cause: Because there is no version of foo==99\n"
    more = (
        "\n  hint: If you want to add the package regardless of the failed resolution, provide the `--frozen` flag to skip "
        "locking and syncing\n\n  hint: While the active Python version is 3.11, the resolution failed for other Python versions."
    )
    kept = "\n  hint: Pre-releases are available for `foo`, but they were not enabled (try: `--prerelease=allow`)"
    assert said(words + more + kept).details == words.rstrip("\n") + kept


def test_a_server_out_of_reach_is_no_missing_wheel() -> None:
    assert says_no_wheel(ToolError("x", details="has no usable wheels"))
    assert not says_no_wheel(ToolError("x", details="has no usable wheels\ndns error"))


def test_whose_conflict_it_is() -> None:
    words = (
        "Because all versions of refuses depend on leaf>=2 and wants==1.0 depends on leaf<2, we can conclude that they are "
        "incompatible.\nAnd because your project depends on refuses and wants, your project's requirements are unsatisfiable."
    )
    assert said(words).message.endswith(": refuses needs leaf>=2, wants needs leaf<2")
    assert ":" not in said("these requirements are unsatisfiable").message


def test_a_file_that_was_not_locked_is_no_missing_wheel() -> None:
    error = said("Failed to download `idna==3.7`\n  cause: Hash mismatch for `idna==3.7`")
    assert type(error) is DamagedLockError
    assert "idna, which app needs, is not what the lock says" in error.message


def test_a_path_where_nothing_lies_is_named() -> None:
    words = "Distribution not found at: file:///home/me/my%20lib"
    error = said(f"error: Failed to generate package metadata for `tool==1 @ directory+../my%20lib`\n  cause: {words}")
    assert type(error) is NoSuchDependencyError
    assert error.message.startswith("tool, which app needs, comes from ")
    assert "my lib, and nothing is there" in error.message
    assert said(f"error: Failed to add dependencies\n  cause: {words}").message.startswith("a dependency, which app needs, comes")


def test_a_wheel_that_all_versions_lack_is_named() -> None:
    words = "Because all versions of fast have no `platform_machine == 'arm64'`-compatible wheels"
    assert wheelless(words) == "fast"
    assert said(words).message.startswith("fast has no wheel")


def test_what_there_is() -> None:
    files = ["a-2-cp311-cp311-win_amd64.whl"]
    assert offer("2", files, (3, 11), source=False) == "2 for win_amd64"
    assert offer("2", files, (3, 11), source=True) == "2 for win_amd64, and its source"
    assert offer("2", files, (3, 12), source=True) == "its source only, 2"
    assert offer("", (), (3, 12), source=True) == "its source only"
    assert not offer("2", (), (3, 12), source=False)


def test_wheels_are_shown_by_platform() -> None:
    files = ["a-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", "a-1-cp39-abi3-win_amd64.whl"]
    assert platforms_of_wheels(files, (3, 11)) == "manylinux2014_x86_64, manylinux_2_17_x86_64, win_amd64"
    assert platforms_of_wheels(files, (3, 12)) == "win_amd64"


def test_a_missing_wheel_is_said_in_a_sentence_and_what_there_is_below_it() -> None:
    words = "Because bar==2.0.0 has no usable wheels\nhint: (i.e., with `--no-build`)"
    error = explained(ToolError("x", details=words), NEEDS, targets=TARGETS[:1], python=(3, 13), exists="2.0.0 for win_amd64")
    assert error.message == "bar has no wheel for linux_x86_64 with Python 3.13, and app needs it there"
    assert error.details == "what it has: 2.0.0 for win_amd64"
    assert error.hint.count(".") == 1


def test_what_there_is_can_be_asked_whatever_python_runs_us() -> None:
    text = question_text(NEEDS, ["bar==2"], (3, 13))
    assert 'requires-python" = ">=3.10"' in text
    assert "python_full_version >= '3.13'" in text
    assert "python_full_version < '3.14'" in text
