from __future__ import annotations

import pytest

from pypackpack.backend.tools import resolver, uv_options
from pypackpack.backend.tools.resolver import StepOptions, step_options
from pypackpack.model.errors import UsageError

KNOWN = {
    "lock": {"--upgrade": False, "-U": False, "-P": True, "--index": True, "--prerelease": True, "--python": True},
    "pip sync": {"--index": True, "--reinstall": False, "--python": True},
    "pip compile": {"--upgrade": False, "-U": False, "--index": True, "--prerelease": True, "--python": True},
}


@pytest.fixture(autouse=True)
def uv_that_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uv_options, "options", lambda command: KNOWN[command])


def test_each_option_goes_to_the_calls_that_know_it() -> None:
    found = step_options(["--index", "a=https://x/", "--prerelease=allow", "-U", "-P", "numpy", "--reinstall"])
    assert found == StepOptions(
        lock=("--index=a=https://x/", "--prerelease=allow", "-U", "-P", "numpy"),
        install=("--index=a=https://x/", "--reinstall"),
        choose=("--index=a=https://x/", "--prerelease=allow"),
    )
    assert found.upgrades
    assert found.reinstalls
    assert step_options([]) == StepOptions()
    assert not StepOptions().upgrades
    assert not StepOptions().reinstalls


@pytest.mark.parametrize("words", [["--nonsense"], ["--python", "3.12"], ["word"], ["--index"], ["--upgrade", "--python=3"]])
def test_an_option_is_never_lost(words: list[str]) -> None:
    with pytest.raises(UsageError):
        step_options(words)


def test_a_refused_option_does_not_show_its_password() -> None:
    with pytest.raises(UsageError) as caught:
        step_options(["--nonsense=https://me:s3cret@example.org/"])
    assert "s3cret" not in caught.value.message


def test_names_of_files_in_urls() -> None:
    assert resolver._unquoted("a-1%2Bcpu-py3-none-any.whl") == "a-1+cpu-py3-none-any.whl"


def test_an_option_against_changes_is_answered_with_the_check() -> None:
    with pytest.raises(UsageError) as caught:
        step_options(["--locked"])
    assert "sync --check" in caught.value.hint
