/* The entry of an extension module that Nuitka made the C of.

   Included after that C with these macros:
     ENTRY   the function that Python looks for, PyInit_<name>
     MADE    the same function of the C, which was renamed

   The C gives its module a loader and a file name of its own, and puts a finder of its own on sys.meta_path and a hook on
   sys.path_hooks, for the modules that a Nuitka program carries along. An extension module of a wheel carries none, and is found,
   reloaded and asked for resources as any other. So finder and hook are taken out before the module's code runs: else what that
   imports would be opened by the C, past Python's own loader. What it gave the module is put back when the code has run. */

extern PyTypeObject Nuitka_Loader_Type;
extern void setupMetaPathBasedLoader(PyThreadState *tstate);

static PyObject *entry_kept[3];
static const char *const entry_names[3] = {"__file__", "__loader__", "__spec__"};

static int entry_keep(PyObject *module) {
    for (int i = 0; i < 3; i++) {
        PyObject *value = PyDict_GetItemString(PyModule_GetDict(module), entry_names[i]);
        Py_XINCREF(value);
        Py_XSETREF(entry_kept[i], value);
    }
    return 0;
}

/* Return the name of a file beside the extension module, as Python itself names that: the C would ask the system for the folder,
   which Windows tells in short names and Emscripten not at all. */
PyObject *entry_relative_path(PyObject *relative) {
    PyObject *own = entry_kept[0];
    if (own == NULL || !PyUnicode_Check(own)) {
        return Py_NewRef(relative);
    }
    Py_ssize_t length = PyUnicode_GET_LENGTH(own);
    while (length > 0 && PyUnicode_READ_CHAR(own, length - 1) != '/' && PyUnicode_READ_CHAR(own, length - 1) != '\\') {
        length--;
    }
    PyObject *folder = PyUnicode_Substring(own, 0, length);
    PyObject *result = folder != NULL ? PyUnicode_Concat(folder, relative) : NULL;
    Py_XDECREF(folder);
    return result != NULL ? result : Py_NewRef(relative);
}

/* Take the C's own finder and hook out of a list of sys. */
static int entry_clean(const char *name, PyCFunction hook) {
    PyObject *list = PySys_GetObject(name);
    if (list == NULL || !PyList_Check(list)) {
        return 0;
    }
    for (Py_ssize_t i = PyList_GET_SIZE(list) - 1; i >= 0; i--) {
        PyObject *item = PyList_GET_ITEM(list, i);
        int own = PyCFunction_Check(item) ? PyCFunction_GET_FUNCTION(item) == hook : Py_TYPE(item) == &Nuitka_Loader_Type;
        if (own && PyList_SetSlice(list, i, i + 1, NULL) < 0) {
            return -1;
        }
    }
    return 0;
}

/* The C calls this, once, where it would make the type of its finder and put that into sys. The rest of it
   uses that type; so it is made, and only what is in sys is taken out. */
void entry_setup_loader(PyThreadState *tstate) {
    setupMetaPathBasedLoader(tstate);
    PyObject *hook = PyObject_GetAttrString((PyObject *)&Nuitka_Loader_Type, "sys_path_hook");
    PyCFunction function = hook != NULL && PyCFunction_Check(hook) ? PyCFunction_GET_FUNCTION(hook) : NULL;
    Py_XDECREF(hook);
    if (hook == NULL || entry_clean("meta_path", function) < 0 || entry_clean("path_hooks", function) < 0) {
        Py_FatalError("the finder of Nuitka cannot be taken out of sys"); /* there is no memory, and nobody to tell */
    }
}

static int entry_restore(PyObject *module) {
    /* What the first assignment to an attribute of a module does was changed by the C, once; with this it has happened. */
    if (PyObject_SetAttrString(module, "__file__", entry_kept[0] != NULL ? entry_kept[0] : Py_None) < 0) {
        return -1;
    }
    for (int i = 0; i < 3; i++) {
        if (entry_kept[i] != NULL && PyDict_SetItemString(PyModule_GetDict(module), entry_names[i], entry_kept[i]) < 0) {
            return -1;
        }
        Py_CLEAR(entry_kept[i]);
    }
    /* The spec is the one that it was, with another loader and origin. */
    PyObject *dict = PyModule_GetDict(module);
    PyObject *spec = PyDict_GetItemString(dict, "__spec__");
    PyObject *loader = PyDict_GetItemString(dict, "__loader__");
    PyObject *file = PyDict_GetItemString(dict, "__file__");
    if (spec != NULL && spec != Py_None && loader != NULL && file != NULL) {
        if (PyObject_SetAttrString(spec, "loader", loader) < 0 || PyObject_SetAttrString(spec, "origin", file) < 0) {
            return -1;
        }
    }
    return 0;
}

#if defined(_WIN32)
#define ENTRY_EXPORT __declspec(dllexport)
#else
#define ENTRY_EXPORT __attribute__((visibility("default")))
#endif

ENTRY_EXPORT PyObject *ENTRY(void) {
    static PyModuleDef_Slot slots[4];
    PyObject *made = MADE();
    if (made != NULL && PyObject_TypeCheck(made, &PyModuleDef_Type)) {
        PyModuleDef *definition = (PyModuleDef *)made;
        slots[0].slot = slots[2].slot = Py_mod_exec;
        slots[0].value = (void *)entry_keep;
        slots[1] = definition->m_slots[0];
        slots[2].value = (void *)entry_restore;
        definition->m_slots = slots;
    }
    return made;
}
