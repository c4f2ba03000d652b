"""Words for a compiler that a person may give in the settings, in the spelling of gcc and clang.

A word is handed on only if it says how to translate. What names a file or a folder, loads something into the compiler, changes
what is written or depends on the machine that builds is refused: no key of a task could have it, and settings come with a clone.
"""

from __future__ import annotations

import re

_SHAPES = (
    re.compile(r"-O[0-3sz]?|-Ofast|-g[0-3]?|-w|-pthread|-ansi|-pedantic(-errors)?"),
    re.compile(r"-std=(gnu|c)(\+\+)?[0-9a-z]{2}"),
    re.compile(r"-[DU][A-Za-z_][A-Za-z0-9_]*(\([A-Za-z0-9_, ]*\))?(=[^\0\n\r]*)?"),
    re.compile(r"-[fm][A-Za-z0-9][A-Za-z0-9.+-]*(=[A-Za-z0-9_.,+-]*)?"),
    re.compile(r"-W[A-Za-z0-9][A-Za-z0-9+-]*(=[A-Za-z0-9_+-]*)?"),
)

_REFUSED: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"@"), "a file of options is not read"),
    (re.compile(r"-(I|isystem|iquote|idirafter|isysroot|-sysroot|F)"), "folders of headers are given as `include`"),
    (re.compile(r"-(include|imacros)"), "a header is included in the source"),
    (re.compile(r"-[lL]|-Wl,|-Xlinker|-framework"), "libraries are given as `libraries`, and the linker takes no words"),
    (re.compile(r"-(fplugin|fpass-plugin|load|Xclang|Xpreprocessor|Xassembler|mllvm|Wa,|Wp,|cc1|B|specs|wrapper|x|c|E|S|T|o|M)"),
     "it loads something into the compiler, or changes what it reads and writes"),
    (re.compile(r"-(-?target|arch|m32|m64|mx32|mabi=|mios|mmacos|miphone|mtarget|-config)"), "the target says that"),
    (re.compile(r"-m(arch|cpu|tune)=native"), "it asks for the machine that builds, and the wheel runs on others"),
    (re.compile(r"-f(no-)?(pic|pie|PIC|PIE)"), "an extension module is position independent"),
    (re.compile(r"-f(no-)?(lto|whole-program|thinlto|use-ld|openmp|sanitize|xray|coverage|cs-profile|profile|instrument|split|embed|modul|"
                r"prebuilt|build|integrated|cxx-modul|implicit-modul|rtlib|stack-usage|syntax-only|visibility-from|pch|fake)"),
     "it wants a tool or a library that the module does not bring"),
    (re.compile(r"-f(debug|file|macro|coverage|crash|time|save|optimization-record|diagnostics|dump|proc|minimize|verify|working|"
                r"message|color|ansi|report|record|random)"),
     "it changes what the compiler writes besides the object"),
)  # fmt: skip


def option_problem(word: str) -> str:
    """Say why a word cannot be handed to a compiler; empty when it can."""
    for pattern, reason in _REFUSED:
        if pattern.match(word):
            return reason
    if any(shape.fullmatch(word) for shape in _SHAPES):
        return ""
    return "expected one word that says how to compile, such as -O3, -fno-math-errno, -msse4.2 or -DNAME=1"


def for_language(options: tuple[str, ...], *, cplusplus: bool) -> tuple[str, ...]:
    """Return the words that go to a source of a language: ``-std=`` is of one language, all else of both."""
    return tuple(word for word in options if not word.startswith("-std=") or ("++" in word) is cplusplus)
