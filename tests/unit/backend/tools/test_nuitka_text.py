"""What stands around Nuitka's C: forms that are looked for, and what is refused when one is another."""

from __future__ import annotations

import pytest

from pypackpack.backend.tools import nuitka_text
from pypackpack.backend.tools.nuitka_text import ApartError

MODULE = """
extern struct Nuitka_MetaPathBasedLoaderEntry entry_mod;

PyObject *module_mod;
PyDictObject *moduledict_mod;

static void createModuleConstants(PyThreadState *tstate) {
        loadConstantsBlob(tstate, &mod_consts, UN_TRANSLATE("mod"));
}

static PyObject *module_code_mod(PyThreadState *tstate, PyObject *module) {
    if (init_done == false) {
        initNuitkaAllocators();
        PyObject *real_module_name = PyObject_GetAttrString(module, "__name__");
        CHECK_OBJECT(real_module_name);
        module_full_name = strdup(Nuitka_String_AsString(real_module_name));
        createGlobalConstants(tstate, real_module_name);
        createModuleConstants(tstate);

        init_done = true;
    }
}
"""
DESCRIBED = """static char const type_description_o_data[] = {1};
extern char const * const type_description_o;
char const * const type_description_o = type_description_o_data;
"""
CONSTANTS = f'{DESCRIBED}\n#include "nuitka/prelude.h"\n'


def part(name: bytes, data: bytes) -> bytes:
    return name + b"\0" + len(data).to_bytes(4, "little") + data


BLOB = part(b"", b"common") + part(b".bytecode", b"") + part(b"mod", b"\x01\xff")


def joined(module: str = MODULE, constants: str = CONSTANTS, blob: bytes = BLOB, name: str = "mod") -> str:
    files = {"module.mod.c": module.encode(), "__constants.c": constants.encode()}
    return nuitka_text.member(files, "module.mod.c", name, blob).decode()


def test_what_is_seen_outside_has_a_name_of_its_own_and_constants_too() -> None:
    text = joined()
    for name in ("module_mod", "moduledict_mod", "entry_mod", "type_description_o"):
        assert f"#define {name} MEMBER_JOIN(MEMBER, {name})\n" in text
    assert "static const unsigned char member_constants[] = {\n1,255\n};" in text
    assert text.index("#define createGlobalConstants member_nothing") < text.index('#include "module.mod.c"')
    assert text.index('#include "module.mod.c"') < text.index("#undef createGlobalConstants") < text.index("#define ENTRY MEMBER")


def test_a_name_that_is_not_of_c_has_the_symbol_that_python_looks_for() -> None:
    assert "#define PyInitU_mot_dma made_PyInitU_mot_dma" in joined(name="moté")
    assert "#define ENTRY PyInitU_mot_dma" in nuitka_text.entry("module.mot.c", "moté").decode()


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("extern struct Nuitka_MetaPathBasedLoaderEntry entry_mod;", "", "the entry of its loader is in another form"),
        ("PyObject *module_mod;", "static PyObject *module_mod;", r"there is no PyObject \*module_mod;"),
        ("PyDictObject *moduledict_mod;", "", "there is no PyDictObject"),
        ("initNuitkaAllocators();", "initSomethingNew();", "it calls initSomethingNew when it first runs"),
        ("        init_done = true;", "", "what is done when it first runs is in another form"),
        ('UN_TRANSLATE("mod")', '"mod"', "where its constants are loaded is in another form"),
        ('UN_TRANSLATE("mod")', 'UN_TRANSLATE("other")', "its constants have no part 'other'"),
    ],
)
def test_another_form_is_refused(old: str, new: str, why: str) -> None:
    assert old in MODULE
    with pytest.raises(ApartError, match=why):
        joined(MODULE.replace(old, new))


def test_other_constants_are_refused() -> None:
    with pytest.raises(ApartError, match="its constants begin in another way"):
        joined(constants=DESCRIBED)


@pytest.mark.parametrize("blob", [b"", b"mod", b"mod\0\1", BLOB[:-1], b"mod\0\xff\xff\xff\xffshort", part(b"mod2", b"1")])
def test_a_blob_that_is_cut_is_refused(blob: bytes) -> None:
    with pytest.raises(ApartError, match="its constants have no part 'mod'"):
        nuitka_text.section(blob, "mod")


def test_parts_of_a_blob() -> None:
    assert nuitka_text.section(BLOB, "") == b"common"
    assert nuitka_text.section(BLOB, ".bytecode") == b""
    assert nuitka_text.section(BLOB, "mod") == b"\x01\xff"


def test_bytes_as_an_array() -> None:
    text = nuitka_text.array("int numbers[]", bytes(range(40)))
    numbers = text.split("{")[1].split("}")[0].replace("\n", "").split(",")
    assert bytes(map(int, numbers)) == bytes(range(40))
