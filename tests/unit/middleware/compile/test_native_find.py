"""Which native sources of a package become extension modules, what belongs to them, and what is an input of what."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from pypackpack.backend.digests import FileDigests
from pypackpack.backend.store import Store
from pypackpack.backend.tools import pyx
from pypackpack.middleware.compile.layers import Layers
from pypackpack.middleware.compile.native import tasks, text
from pypackpack.middleware.compile.native.find import NativeSources, find, native_targets
from pypackpack.middleware.compile.workshop import Workshop
from pypackpack.middleware.target import table
from pypackpack.model.compiler_options import for_language, option_problem
from pypackpack.model.csource import c_source
from pypackpack.model.errors import PyPackPackError, SettingsError, SourceError
from pypackpack.model.project import BuildSettings, BundleSettings, ExtensionSettings, Package

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


LINUX, WINDOWS = table.find("linux_x86_64"), table.find("windows_amd64")


def init(name: str) -> str:
    return f"#include <Python.h>\nPyMODINIT_FUNC PyInit_{name}(void) {{ return 0; }}\n"


def package(folder: Path, files: Mapping[str, str], **extensions: ExtensionSettings) -> Package:
    for name, content in {"main/__init__.py": "", **files}.items():
        place = folder / "demo" / "src" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content, encoding="utf-8")
    named = tuple((name.replace("__", "."), said) for name, said in extensions.items())
    settings = BuildSettings(extensions=named)
    return Package("demo", "demo", folder / "demo", "1", (LINUX, WINDOWS), (), (), {}, {"": settings}, BundleSettings())


def found(demo: Package, target: Any = LINUX) -> NativeSources:  # noqa: ANN401 - a target
    return find(Layers(demo).on(target), demo, target, lambda file: file.path.read_bytes())


def modules(demo: Package, target: Any = LINUX) -> dict[str, tuple[str, ...]]:  # noqa: ANN401 - as above
    return {module.name: module.sources for module in found(demo, target).modules}


def test_a_c_file_is_a_module_by_the_entry_point_of_its_name(tmp_path: Path) -> None:
    files = {
        "main/int.c": init("int"),
        "main/sub/two.cpp": f'extern "C" {init("two")}',
        "main/sub/broken_line.c": "PyMODINIT_FUNC PyInit_broken_\\\nline(void)\n{}",
        "main/other.c": "/* PyInit_other(void) { */ // PyInit_other(void) {\nPyObject *PyInit_other(void);\n",
        "main/wave.pyx": "",
        "main/größe.c": "PyObject *PyInitU_gre_05a7b(void) {}",
        "main/no-name/x.pyx": "",
    }
    names = modules(package(tmp_path, files, int=ExtensionSettings(sources=()), wave=ExtensionSettings(sources=())))
    expected = {"int", "sub.two", "sub.broken_line", "wave"}
    assert expected <= names.keys() <= expected | {"größe"}
    assert names["wave"] == ()


def test_nothing_of_a_package_without_modules_is_taken(tmp_path: Path) -> None:
    demo = package(tmp_path, {"main/template.c": "int x;", "main/x.h": "", "main/x.pxd": ""})
    assert found(demo) == NativeSources()
    assert native_targets([demo], [LINUX]) == {"linux_x86_64": False}


def test_a_helper_belongs_to_the_module_of_the_nearest_folder(tmp_path: Path) -> None:
    files = {
        "main/one.c": init("one"),
        "main/near.c": "",
        "main/deep/down/far.cc": "",
        "main/sub/two.c": init("two"),
        "main/sub/its.c": '#include "part.c"\n#include MACRO',
        "main/sub/part.c": "",
        "main/x.h": "",
    }
    demo = package(tmp_path, files)
    assert modules(demo) == {"one": ("one.c", "deep/down/far.cc", "near.c"), "sub.two": ("sub/two.c", "sub/its.c")}
    assert "x.h" in found(demo).kept
    assert "sub/part.c" not in found(demo).kept  # nobody compiles it: it may be data as well


def test_settings_say_which_helper_is_whose(tmp_path: Path) -> None:
    files = {"main/one.c": init("one"), "main/two.pyx": "", "main/a.c": "", "main/b.c": "", "main/free.c": ""}
    said = {"one": ExtensionSettings(sources=("[ab].c", "a.c")), "two": ExtensionSettings(sources=("b.*",))}
    with pytest.raises(SettingsError, match=r'extension\.one\.sources: "\[ab\]\.c" is no C or C\+\+ file of linux_x86_64'):
        found(package(tmp_path, files, **said))
    said["one"] = ExtensionSettings(sources=("a.c",))
    demo = package(tmp_path, files, **said)
    assert modules(demo) == {"one": ("one.c", "a.c"), "two": ("b.c",)}
    assert "free.c" not in found(demo).kept
    named = package(tmp_path, files, one=ExtensionSettings(sources=()), two=ExtensionSettings(sources=()), _x=said["one"])
    assert modules(named)["_x"] == ("a.c",)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            {"main/one.c": init("one"), "main/two.c": init("two"), "main/h.c": ""},
            "src/main/h.c is no extension module, .*: one, two",
        ),
        ({"main/one.c": init("one"), "main/one.pyx": ""}, "src/main/one.c and src/main/one.pyx are the same module one"),
        ({"main/one.c": init("one"), "main/one.py": ""}, "src/main/one.py and src/main/one.c are the same module one"),
        ({"main/one.c": init("one"), "main/one/__init__.py": ""}, "src/main/one/__init__.py and src/main/one.c"),
        ({"main/one.cpp": init("one"), "linux/one.c": init("one")}, "src/linux/one.c and src/main/one.cpp are the same"),
        ({"main/__main__.pyx": ""}, "__main__.pyx cannot be an extension module"),
        ({"main/one.pyx": "# distutils: language = c\n# distutils: library_dirs = /lib\n"}, r"one.pyx:2: .*library_dirs"),
        ({"main/one.pyx": "# distutils: language = rust\n"}, r"one.pyx:1: the language is c or c\+\+"),
        ({"main/one.pyx": "# distutils: sources = ../../secret.c\n"}, r'one.pyx:1: the package has no "../../secret.c"'),
        ({"main/one.pyx": "# distutils: extra_compile_args = -fplugin=x\n"}, r'one.pyx:1: .*"-fplugin=x"'),
        ({"main/one.pyx": "# distutils: extra_compile_args = 'x\n"}, "one.pyx:1: a quotation"),
        ({"main/one.pyx": "# distutils: define_macros = A=1 -x\n"}, 'one.pyx:1: .*"-x"'),
        ({"main/one.pyx": "# distutils: define_macros = A=1\0\n"}, "one.pyx:1: define_macros has"),
        ({"main/one.pyx": "# distutils: libraries = ../x\n"}, 'one.pyx:1: .*"../x"'),
        ({"main/one.pyx": "", "main/one.c": "int f;"}, "src/main/one.c has the name of what Cython makes of src/main/one.pyx"),
        ({"main/one.pyx": "# distutils: language = c++\n", "main/one.cpp": ""}, "src/main/one.cpp has the name of what Cython"),
        (
            {"main/one.c": init("one"), "main/one/__init__.c": init("one")},
            "src/main/one.c and src/main/one/__init__.c are the same",
        ),
    ],
)
def test_what_is_wrong_is_one_clear_error(tmp_path: Path, files: dict[str, str], words: str) -> None:
    with pytest.raises(SourceError, match=words):
        found(package(tmp_path, files))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            {"nine": ExtensionSettings()},
            r"extension\.nine\.sources: the package has no extension module of that name; did you mean",
        ),
        ({"nine": ExtensionSettings(sources=("none.c",))}, r'extension\.nine\.sources: "none.c" is no C'),
        ({"nineteen": ExtensionSettings(include=("inc",))}, r'extension\.nineteen\.include: the package has no folder "inc"'),
        ({"nineteen": ExtensionSettings(libraries=("ssl",))}, r"extension\.nineteen\.libraries: ssl is no part of linux_x86_64"),
        ({"../nineteen": ExtensionSettings()}, r'extension\."\.\./nineteen"\.sources: the package has no extension module'),
        ({"/nineteen": ExtensionSettings(sources=("h.c",))}, r'extension\."/nineteen"\.sources: the package has no extension'),
    ],
)
def test_settings_of_what_is_not_there_are_refused(tmp_path: Path, said: dict[str, ExtensionSettings], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        found(package(tmp_path, {"main/nineteen.pyx": ""}, **said))


def test_settings_make_no_extension_module_that_python_has_to_run(tmp_path: Path) -> None:
    named = (("__main__", ExtensionSettings(sources=("h.c",))),)
    demo = replace(package(tmp_path, {"main/h.c": ""}), build={"": BuildSettings(extensions=named)})
    with pytest.raises(SourceError, match=r"__main__.*cannot be an extension module"):
        found(demo)


def test_an_init_is_a_module_by_the_entry_point_of_its_package(tmp_path: Path) -> None:
    files = {"main/sub/__init__.c": init("sub"), "main/sub/deep/__init__.c": init("__init__")}
    assert modules(package(tmp_path, files)) == {"sub.__init__": ("sub/__init__.c", "sub/deep/__init__.c")}


def test_what_only_another_layer_has_may_be_spoken_of(tmp_path: Path) -> None:
    demo = package(tmp_path, {"main/one.c": init("one"), "windows/two.c": init("two")}, two=ExtensionSettings(options=("-O3",)))
    assert modules(demo).keys() == {"one"}
    assert modules(demo, WINDOWS).keys() == {"one", "two"}
    assert native_targets([package(tmp_path / "x", {"windows/two.c": init("two")})], [LINUX, WINDOWS]) == {
        "linux_x86_64": False,
        "windows_amd64": True,
    }


def test_comments_for_distutils_are_heard(tmp_path: Path) -> None:
    files = {
        "main/one.pyx": "\ufeff# distutils: language=c++\n\n# distutils: sources = [impl/a.cpp, 'b.c']\n"
        "# distutils: include_dirs = demo/impl\n# distutils: define_macros = A=1 B\n# distutils: extra_compile_args = -O3\n"
        "# distutils: depends = x.h\nimport x\n# distutils: nonsense = 1\n",
        "main/one.pxd": "# distutils: libraries = m\n",
        "main/impl/a.cpp": "",
        "main/b.c": "",
    }
    (module,) = found(package(tmp_path, files, one=ExtensionSettings(define=(("A", "2"),), options=("-g0",)))).modules
    assert module.cplusplus
    assert module.sources == ("b.c", "impl/a.cpp")
    assert module.settings == ExtensionSettings(("impl/a.cpp", "b.c"), ("impl",), (("A", "2"), ("B", "")), ("-O3", "-g0"), ("m",))


def test_what_a_release_wheel_leaves_out(tmp_path: Path) -> None:
    files = {"main/one.pyx": "", "main/one.pxd": "", "main/p.pxi": "", "main/api/x.h": "", "main/y.hpp": "", "main/h.c": ""}
    demo = package(tmp_path, files)
    assert found(demo).kept == {"one.pyx", "p.pxi", "api/x.h", "y.hpp", "h.c"}
    shipping = replace(demo.build[""], ship_sources=("api/**", "*.pyx"))
    assert found(replace(demo, build={"": shipping})).kept == {"p.pxi", "y.hpp", "h.c"}


class Bench:
    """What tasks of one package reach the world through; Cython is none of it."""

    stored = Workshop.stored

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "cache")
        self.digests = FileDigests(folder / "cache", folder)
        self.pyx = SimpleNamespace(transcompile=self._transcompile)

    @staticmethod
    def read(file: Any) -> bytes:  # noqa: ANN401 - a source file
        data: bytes = file.path.read_bytes()
        return data

    @staticmethod
    def _transcompile(place: str, _name: str, sources: Mapping[str, bytes], _packages: object, *, cplusplus: bool) -> pyx.MadeC:
        if b"wrong" in sources[place]:
            return pyx.MadeC({}, (pyx.Problem(place, "1:1: no"), pyx.Problem("demo/one.pxd", "2:3: nor that")))
        made = place.replace(".pyx", ".cpp" if cplusplus else ".c")
        return pyx.MadeC({made: b'#include "x.h"\n', made.rpartition(".")[0] + ".h": b""})


def gathered(demo: Package, bench: Bench) -> tuple[dict[str, str], Any]:
    """Return the keys of the tasks of the only module, and its C."""
    shop = cast("Workshop", bench)
    files = Layers(demo).on(LINUX)
    (module,) = found(demo).modules
    made = tasks.pyx_task(module, demo, files, shop) if module.is_cython else None
    results = {made.name: made.run({})} if made else {}
    task = tasks.gather_task(module, demo, LINUX, files, shop, made)
    keys = {task.name: task.key(results)} | ({made.name: made.key({})} if made else {})
    return keys, c_source(task.run(results))


def test_a_module_gets_what_it_includes_and_nothing_else(tmp_path: Path) -> None:
    files = {
        "main/one.c": init("one") + '#include "a.h"\n#include <inner.h>\n# include "none.h"\n',
        "main/a.h": '#include "sub/../b.h"\n',
        "main/b.h": '#include "a.h"\n',
        "main/inc/inner.h": "",
        "main/inc/other.h": "",
    }
    demo = package(tmp_path, files, one=ExtensionSettings(include=("inc",), define=(("X", "1"),)))
    _, c = gathered(demo, Bench(tmp_path))
    assert set(c.files) == {"demo/one.c", "demo/a.h", "demo/b.h", "demo/inc/inner.h"}
    assert (c.sources, c.folders, c.defines) == (("demo/one.c",), ("demo/inc",), (("X", "1"),))
    (demo.source / "main/b.h").write_text("#include WHATEVER\n")
    _, c = gathered(demo, Bench(tmp_path))
    assert "demo/inc/other.h" in c.files


@pytest.mark.parametrize("name", ["/etc/passwd", "../../../x.h", "C:/x.h", "..\\\\..\\\\x.h"])
def test_an_include_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    demo = package(tmp_path, {"main/one.c": f'{init("one")}#include "{name}"\n'})
    with pytest.raises(SourceError, match="leads out of the package"):
        gathered(demo, Bench(tmp_path))


def test_what_is_included_may_have_any_name_and_what_is_embedded_is_no_source(tmp_path: Path) -> None:
    code = init("one") + '#include "words.txt"\n#embed "picture.bin"\n'
    files = {"main/one.c": code, "main/words.txt": "", "main/picture.bin": '\n#include "/etc/x"\n.incbin', "main/other.bin": ""}
    demo = package(tmp_path, files)
    before, c = gathered(demo, Bench(tmp_path))
    assert set(c.files) == {"demo/one.c", "demo/words.txt", "demo/picture.bin"}
    (demo.source / "main/picture.bin").write_text("another")
    assert gathered(demo, Bench(tmp_path))[0] != before


@pytest.mark.parametrize("line", ['asm(".incbin \\"x\\"");', 'asm(".inc" /* */ "bin x");', '#include "h.h"'])
def test_an_assembler_that_reads_a_file_is_refused(tmp_path: Path, line: str) -> None:
    demo = package(tmp_path, {"main/one.c": f"{init('one')}{line}\n", "main/h.h": 'asm(".incbin x");\n'})
    with pytest.raises(SourceError, match=r"\.incbin reads a file"):
        gathered(demo, Bench(tmp_path))


def test_a_header_that_cython_writes_is_nobody_elses(tmp_path: Path) -> None:
    demo = package(tmp_path, {"main/one.pyx": "a", "main/one.h": "#define MINE\n"})
    with pytest.raises(SourceError, match=r"one\.h has the name of a header that Cython makes of one"):
        gathered(demo, Bench(tmp_path))


def test_everything_that_cython_sees_is_in_its_key(tmp_path: Path) -> None:
    seen = {"main/one.pyx": 'include "sub/p.pxi"\n', "main/one.pxd": "from .near cimport x\n", "main/near.pxd": "", "main/sub/p.pxi": ""}
    files = {**seen, "main/far.pxd": "", "main/x.h": "d", "main/more.py": "e"}
    bench = Bench(tmp_path)
    demo = package(tmp_path, files)
    before, c = gathered(demo, bench)
    assert (c.sources, set(c.files)) == (("demo/one.c",), {"demo/one.c", "demo/one.h", "demo/x.h"})
    pyx_name = "transcompile demo/src/main/one.pyx"
    for name in files:
        place = demo.source / name
        place.write_text(f"{place.read_text()} changed")
        after, _ = gathered(demo, Bench(tmp_path))
        assert (before[pyx_name] != after[pyx_name]) is (name in seen), name
        assert (before != after) is (name in seen or name.endswith(".h")), name
        before = after
    package(tmp_path, {"linux/one.pxd": "of Linux"})
    assert f"{pyx_name} linux" in gathered(demo, Bench(tmp_path))[0]


def test_what_cython_says_names_file_and_line(tmp_path: Path) -> None:
    demo = package(tmp_path, {"main/one.pyx": "wrong", "main/one.pxd": ""})
    with pytest.raises(PyPackPackError) as caught:
        gathered(demo, Bench(tmp_path))
    assert caught.value.message == f"{demo.source / 'main' / 'one.pyx'}:1:1: no"
    assert caught.value.details == f"{demo.source / 'main' / 'one.pxd'}:2:3: nor that"


def test_raw_strings_and_numbers_do_not_open_or_close_anything() -> None:
    after = '\n#include "k.h"\n'
    for before in (
        'auto t = R"(say " /* no comment )";',
        'auto t = LR"x(")" // )x";',
        "int n = 1'000; /* it's\n not */",
        "u8'\"';",
    ):
        assert list(text.includes(before + after)) == ["k.h"], before
    assert list(text.includes('auto t = R"(' + after + ')";')) == []
    assert text.defines("PyInit_x", 'auto t = R"(/*)"; PyMODINIT_FUNC PyInit_x(void) {}')


def test_texts_that_try_to_be_slow_are_read_at_once() -> None:
    assert not text.defines("PyInit_x", "/*" * 200_000)
    assert not text.defines("PyInit_x", '"\\' * 200_000)
    assert not text.defines("PyInit_x", "PyInit_x(" + " " * 400_000)
    assert list(text.includes("#include " * 50_000)) == [None]
    assert not text.defines("PyInit_x", 'R"(' * 200_000)
    assert not text.defines("PyInit_x", "1'" * 200_000)


@pytest.mark.parametrize(
    "word",
    [
        "-O3",
        "-g0",
        "-std=gnu99",
        "-std=c++20",
        "-fno-exceptions",
        "-msse4.2",
        "-mavx2",
        "-march=armv8.2-a",
        "-Wall",
        "-DX",
        "-UNDEBUG",
        "-DX=1 2",
        "-ftemplate-depth=900",
        "-Wno-error=unused",
        "-pthread",
        "-mtune=generic",
    ],
)
def test_words_that_say_how_to_compile(word: str) -> None:
    assert option_problem(word) == ""


@pytest.mark.parametrize(
    "word",
    [
        "@words",
        "-fplugin=x.so",
        "-fno-integrated-as",
        "-fpass-plugin=x",
        "-B.",
        "-o",
        "-I/abs",
        "-I",
        "-wrapper",
        "-specs=x",
        "x.c",
        "",
        "-",
        "-Wl,-rpath,/x",
        "-march=native",
        "-mcpu=native",
        "--sysroot=/",
        "-isystem/x",
        "-include",
        "-Xclang",
        "-mllvm",
        "-load=x",
        "-x",
        "-c",
        "-L.",
        "-lx",
        "-target",
        "--target=x",
        "-m32",
        "-fno-PIC",
        "-flto",
        "-fuse-ld=x",
        "-fsanitize=address",
        "-ftime-trace=x",
        "-Wa,x",
        "-Wp,-MD,x",
        "-fdebug-prefix-map=a=b",
        "-fprofile-use=x",
        "-fmodule-file=x",
        "-DX\n-o",
        "-D",
        "-save-temps",
        "-MD",
        "-E",
        "-gsplit-dwarf",
        "-v",
        "-fcrash-diagnostics-dir=x",
        "-fopenmp",
        "-f../x",
        "-mfoo=/x",
        "-W",
        "-###",
        "--config=x",
        "-fxray-instrument",
        "-ivfsoverlay",
    ],
)
def test_words_that_do_more_are_refused(word: str) -> None:
    assert option_problem(word)


def test_a_dialect_goes_to_its_language_only() -> None:
    words = ("-std=gnu99", "-std=c++20", "-O3")
    assert for_language(words, cplusplus=False) == ("-std=gnu99", "-O3")
    assert for_language(words, cplusplus=True) == ("-std=c++20", "-O3")
