from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from pypackpack.middleware.compile.pyconfig import (
    Amendment,
    UnknownTargetError,
    UnsupportedPythonError,
    amended,
    header_amendments,
    headers_look_at,
    pyconfig_groups,
    pyconfig_header,
    pyconfig_targets,
    supported_pythons,
)
from pypackpack.middleware.compile.pyconfig_reference import PAGE, facts_page, write_page
from tests.pyconfig_support import (
    host_includes,
    is_linux_x86_64,
    macros_of,
    names_in,
    pyconfig_of,
    python_of,
    words_in_headers,
)

DOCS = Path(__file__).parents[4] / "docs"
PY313 = (3, 13)
EVERY = [(target, python) for target in pyconfig_targets() for python in supported_pythons()]
HOSTS = [pytest.param(folder, id=str(folder)) for folder in host_includes()]

GNU_ON_WINDOWS = {"__GNUC__": "4", "_WIN32": "1", "_WIN64": "1", "__MINGW32__": "1"}

NOT_FACTS = {
    # Words of C and of other headers that pyconfig.h can replace and never does.
    "const", "signed", "size_t", "pid_t", "mode_t", "inline", "LONG_BIT", "_POSIX_THREADS",
}  # fmt: skip

BUILDERS_CHOICE = {
    "Py_ENABLE_SHARED": "whether there is a libpython.so; looked at on Windows only",
    "WITH_DTRACE": "Debian's Pythons have probes; the header for them is not installed",
    "HAVE_CURSES_H": "whether curses was there",
    "HAVE_CURSES_IS_PAD": "whether curses was there",
    "HAVE_NCURSESW_CURSES_H": "whether curses was there",
    "HAVE_NCURSESW_NCURSES_H": "whether curses was there",
    "HAVE_NCURSES_CURSES_H": "whether curses was there",
    "HAVE_NCURSES_H": "whether curses was there",
    "HAVE_NCURSES_NCURSES_H": "whether curses was there",
    "MVWDELCH_IS_EXPRESSION": "whether curses was there",
    "WINDOW_HAS_FLAGS": "whether curses was there",
}


@pytest.mark.parametrize(("target", "python"), EVERY)
def test_every_macro_that_headers_look_at_has_one_answer(target: str, python: tuple[int, int]) -> None:
    groups = pyconfig_groups(target, python)
    answers = Counter(fact.name for group in groups if not group.when for fact in group.facts)
    conditional = {fact.name for group in groups if group.when for fact in group.facts}
    assert [name for name, times in answers.items() if times > 1] == []
    assert headers_look_at() - answers.keys() - conditional == set()


@pytest.mark.parametrize("target", pyconfig_targets())
def test_every_group_says_where_its_facts_come_from(target: str) -> None:
    for group in pyconfig_groups(target, PY313):
        assert group.about
        assert group.sources
        assert all(re.match(r"CPython:|https://|sysconfig", source) for source in group.sources)


def test_what_decides_the_layout_is_among_what_headers_look_at() -> None:
    assert headers_look_at(abi_only=True) < headers_look_at()
    assert "SIZEOF_VOID_P" in headers_look_at(abi_only=True)


@pytest.mark.parametrize(("target", "python"), EVERY)
def test_the_header_is_well_formed(target: str, python: tuple[int, int]) -> None:
    text = pyconfig_header(target, python)
    assert text == pyconfig_header(target, python)
    assert text.isascii()
    assert text.endswith("#endif /* Py_PYCONFIG_H */\n")
    assert len(re.findall(r"^#if", text, re.MULTILINE)) == len(re.findall(r"^#endif", text, re.MULTILINE))
    assert "#pragma" not in text


@pytest.mark.parametrize(
    ("target", "sizes"),
    [
        ("linux_x86_64", (8, 8, 4, 8)),
        ("linux_armv7", (4, 4, 4, 4)),
        ("macos_arm64", (8, 8, 4, 8)),
        ("windows_amd64", (4, 8, 2, 8)),
        ("windows_x86", (4, 4, 2, 8)),
        ("emscripten_wasm32", (4, 4, 4, 8)),
    ],
)
def test_sizes(target: str, sizes: tuple[int, ...]) -> None:
    macros = macros_of(pyconfig_header(target, PY313), {})
    names = ("SIZEOF_LONG", "SIZEOF_VOID_P", "SIZEOF_WCHAR_T", "SIZEOF_TIME_T")
    assert tuple(int(macros[name]) for name in names) == sizes


def test_big_endian() -> None:
    macros = macros_of(pyconfig_header("linux_s390x", PY313), {})
    assert macros["WORDS_BIGENDIAN"] == "1"
    assert "DOUBLE_IS_LITTLE_ENDIAN_IEEE754" not in macros


def test_windows_imports_data_from_the_dll() -> None:
    # Without these a module links, and reads variables such as Py_Version from the wrong place.
    macros = macros_of(pyconfig_header("windows_amd64", PY313), GNU_ON_WINDOWS)
    assert macros["Py_ENABLE_SHARED"] == "1"
    assert "HAVE_DECLSPEC_DLL" in macros
    assert "NTDDI_VERSION" not in macros


def test_windows_structures_of_the_interpreter_are_for_the_windows_it_was_built_for() -> None:
    macros = macros_of(pyconfig_header("windows_amd64", PY313), {**GNU_ON_WINDOWS, "Py_BUILD_CORE": "1"})
    assert (macros["NTDDI_VERSION"], macros["Py_NTDDI"]) == ("Py_NTDDI", "NTDDI_WINBLUE")


def test_facts_of_some_pythons_only() -> None:
    have = [python for python in supported_pythons() if "#define WITH_FREELISTS" in pyconfig_header("linux_arm64", python)]
    assert have == [(3, 11), (3, 12), (3, 13)]


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("linux_2_28_x86_64", "linux_x86_64"),
        ("linux_musl_1_2_arm64", "linux_musl_arm64"),
        ("macos_11_0_x86_64", "macos_x86_64"),
        ("android_24_arm64", "android_arm64"),
        ("emscripten_2025_0_wasm32", "emscripten_wasm32"),
    ],
)
def test_versions_in_a_target_change_nothing(name: str, base: str) -> None:
    assert pyconfig_header(name, PY313) == pyconfig_header(base, PY313)


def test_unknown_target() -> None:
    with pytest.raises(UnknownTargetError, match=r"linux_amr64.*did you mean linux_arm64") as caught:
        pyconfig_header("linux_amr64", PY313)
    assert isinstance(caught.value, ValueError)
    assert caught.value.nearest[0] == "linux_arm64"


def test_unknown_python() -> None:
    with pytest.raises(UnsupportedPythonError, match=r"3\.9, only for 3\.10, 3\.11"):
        pyconfig_header("linux_arm64", (3, 9))


def test_amendments_are_for_one_target() -> None:
    assert header_amendments("linux_x86_64", PY313) == ()
    (amendment,) = header_amendments("emscripten_2025_0_wasm32", PY313)
    assert amendment.file == "internal/pycore_runtime.h"


def test_amending_a_header() -> None:
    amendment = Amendment("a.h", after="int one;", add="int two;", unless="two", about="", sources=())
    text = "struct s {\n    int one;\n    int three;\n};\n"
    once = amended(text, amendment)
    assert once == "struct s {\n    int one;\n    int two;\n    int three;\n};\n"
    assert amended(once, amendment) == once
    assert amended("nothing of the kind", amendment) == "nothing of the kind"


@pytest.mark.parametrize("include", HOSTS)
def test_no_macro_that_headers_look_at_is_missed(include: Path) -> None:
    looked_at = words_in_headers(include) & names_in(pyconfig_of(include).read_text(encoding="utf-8"))
    assert looked_at - headers_look_at() - NOT_FACTS == set()


@pytest.mark.parametrize("include", HOSTS)
@pytest.mark.skipif(not is_linux_x86_64(), reason="compares with the Pythons of Linux on x86-64")
def test_the_pythons_of_this_machine_say_the_same(include: Path) -> None:
    real = macros_of(pyconfig_of(include).read_text(encoding="utf-8"), {"__x86_64__": "1"})
    made = macros_of(pyconfig_header("linux_x86_64", python_of(include)), {"__x86_64__": "1"})
    looked_at = headers_look_at() & words_in_headers(include)
    differing = {name for name in looked_at | made.keys() if real.get(name) != made.get(name)}
    assert differing - BUILDERS_CHOICE.keys() - {"Py_PYCONFIG_H"} == set()


def test_the_reference_page_is_what_the_table_says(tmp_path: Path) -> None:
    write_page(tmp_path)
    assert (tmp_path / PAGE).read_text(encoding="utf-8") == facts_page()
    assert (DOCS / PAGE).read_text(encoding="utf-8") == facts_page()
