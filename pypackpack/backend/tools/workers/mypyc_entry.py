"""The C that modules of mypyc get from us; its worker imports it from beside itself, before it takes this folder off its path."""

from __future__ import annotations

ENTRY = """
/* Between Python and the module: two phases (PEP 489), so that Python itself says where the module lies. */
static PyObject *entry_create(PyObject *spec, PyModuleDef *def) {
    static int64_t only = -1;
    int64_t interpreter = PyInterpreterState_GetID(PyInterpreterState_Get());
    if (only == -1) {
        only = interpreter;
    } else if (only != interpreter) {
        PyErr_SetString(PyExc_ImportError, "a module compiled by mypyc can only be loaded into one interpreter of a process");
        return NULL;
    }
    PyObject *library = PyModule_New("library");
    if (library == NULL) return NULL;
    int failed = exec_LIBRARY(library);
    Py_DECREF(library);
    PyObject *module = failed ? NULL : INIT_ONLY();
    Py_XINCREF(module);  /* what the C keeps, and lets go of when the module's code raises; the other is Python's */
    return module;
}
static int entry_exec(PyObject *module) {
    static int done = 0;  /* a module runs once: a reload, or an import of it again, is the module as it is */
    if (done) return 0;
    done = 1;
    CPyImport_SetInitialized(&STATE, true);  /* who imports itself takes what Python has, and does not ask mypyc's library file */
    if (EXEC(module) == 0) return 0;
    CPyImport_SetInitialized(&STATE, false);
    done = 0;
    return -1;
}
static PyModuleDef_Slot entry_slots[] = {
    {Py_mod_create, entry_create},
    {Py_mod_exec, entry_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
    {0, NULL},
};
static PyModuleDef entry_def = {PyModuleDef_HEAD_INIT, NAME, DOC, 0, NULL, entry_slots};
PyMODINIT_FUNC PYINIT(void) { return PyModuleDef_Init(&entry_def); }
"""

PICKLING = {"CPyPickle_GetState": "entry_get_state", "CPyPickle_SetState": "entry_set_state"}
"""mypyc's methods for pickles → ours."""

PICKLES = """
/* Pickles and copies. mypyc's own functions set attributes as a program would, which a frozen class refuses. Of an instance of a
   subclass they leave out the __dict__, or give that very one to the copy. Python goes around __setattr__, and takes all. */
static PyObject *entry_get_state(PyObject *self, PyObject *unused) {
    PyObject *state = CPyPickle_GetState(self);
    if (state == NULL) return NULL;
    PyObject *word = PyUnicode_FromString("__dict__");
    PyObject *more = word == NULL ? NULL : PyObject_GenericGetAttr(self, word);  /* the class may have a __getattr__ */
    Py_XDECREF(word);
    if (more == NULL) {
        if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
            PyErr_Clear();
            return state;
        }
        Py_DECREF(state);
        return NULL;
    }
    int named = PyMapping_HasKeyString(state, "__dict__");  /* mypyc takes it for an attribute, whose value a copy would share */
    int failed = named ? PyDict_DelItemString(state, "__dict__") : 0;
    if (!failed) failed = PyDict_Merge(state, more, 0);
    Py_DECREF(more);
    if (failed) Py_CLEAR(state);
    return state;
}
static PyObject *entry_set_state(PyObject *self, PyObject *state) {
    Py_ssize_t place = 0;
    PyObject *name, *value;
    if (!PyDict_Check(state)) {
        PyErr_SetString(PyExc_TypeError, "the state is not a dict");
        return NULL;
    }
    while (PyDict_Next(state, &place, &name, &value)) {
        if (PyObject_GenericSetAttr(self, name, value) != 0) return NULL;
    }
    Py_RETURN_NONE;
}
"""
