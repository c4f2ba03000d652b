/* The entry of an extension module that Nuitka made the C of.

   Included after that C with these macros:
     ENTRY   the function that Python looks for, PyInit_<name>
     MADE    the same function of the C, which was renamed
     MEMBER  several modules are joined in one file: what ENTRY is called in it
     START   instead of ENTRY: the code of a module without code, which makes ready what joined modules have in common

   The C gives its module a loader, a spec and a file name of its own, and puts a finder of its own on sys.meta_path and a hook on
   sys.path_hooks, for the modules that a Nuitka program carries along. An extension module of a wheel carries none, and is found,
   reloaded and asked for resources as any other. So finder and hook are taken out before the module's code runs: else what that
   imports would be opened by the C, past Python's own loader. Loader and spec are those that Python gave the module. Its __file__
   is the name of the source while the code runs, as tracebacks have it, and what Python gave it afterwards, if the code left it. */

#if defined(MEMBER) || defined(START)
extern int pypackpack_nuitka_start(PyObject *module);
#endif

static PyObject *pypackpack_module; /* borrowed: the one whose code runs */
static PyObject *pypackpack_file;   /* its __file__ as Python gave it, or NULL */
static PyObject *pypackpack_named;  /* its __file__ as the C gives it, or NULL */

/* Return the name of a file beside the extension module, as Python itself names that: the C would ask the system for the folder,
   which Windows tells in short names and Emscripten not at all. */
static PyObject *pypackpack_relative_path(PyObject *relative) {
    PyObject *own = pypackpack_file;
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
    result = result != NULL ? result : Py_NewRef(relative);
    Py_XSETREF(pypackpack_named, Py_NewRef(result));
    return result;
}

#ifndef MEMBER

extern PyTypeObject Nuitka_Loader_Type;
extern void setupMetaPathBasedLoader(PyThreadState *tstate);

/* Take the C's own finder and hook out of a list of sys. */
static int pypackpack_clean(const char *name, PyCFunction hook) {
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
static void pypackpack_setup_loader(PyThreadState *tstate) {
    setupMetaPathBasedLoader(tstate);
    PyObject *hook = PyObject_GetAttrString((PyObject *)&Nuitka_Loader_Type, "sys_path_hook");
    PyCFunction function = hook != NULL && PyCFunction_Check(hook) ? PyCFunction_GET_FUNCTION(hook) : NULL;
    Py_XDECREF(hook);
    if (hook == NULL || pypackpack_clean("meta_path", function) < 0 || pypackpack_clean("path_hooks", function) < 0) {
        Py_FatalError("the finder of Nuitka cannot be taken out of sys"); /* there is no memory, and nobody to tell */
    }
}

#endif

#ifdef START

/* Called before the code of the first joined module runs. It is named as that module: __compiled__ says so. */
int pypackpack_nuitka_start(PyObject *module) {
    static PyObject *made;
    if (made != NULL) {
        return 0;
    }
    PyObject *name = PyObject_GetAttrString(module, "__name__");
    made = name != NULL ? PyModule_NewObject(name) : NULL;
    Py_XDECREF(name);
    PyObject *result = made != NULL ? START(PyThreadState_GET(), made) : NULL;
    if (result == NULL) {
        Py_CLEAR(made);
        return -1;
    }
    Py_DECREF(result);
    return 0;
}

#else

/* Return something of the module's names, borrowed; NULL if it is not there or None. */
static PyObject *pypackpack_has(const char *name) {
    PyObject *value = PyDict_GetItemString(PyModule_GetDict(pypackpack_module), name);
    return value != Py_None ? value : NULL;
}

/* The C asks this for a loader of its own making. */
static PyObject *pypackpack_loader(struct Nuitka_MetaPathBasedLoaderEntry const *entry) {
    PyObject *loader = pypackpack_has("__loader__");
    return Py_NewRef(loader != NULL ? loader : Py_None);
}

static PyObject *pypackpack_spec(PyObject *self, PyObject *module) {
    PyObject *spec = pypackpack_has("__spec__");
    PyObject *bootstrap = spec == NULL ? getImportLibBootstrapModule() : NULL; /* borrowed */
    return spec != NULL ? Py_NewRef(spec) : bootstrap != NULL ? PyObject_CallMethod(bootstrap, "_spec_from_module", "O", module) : NULL;
}

/* The C asks this for importlib._bootstrap, to make a spec by its _spec_from_module; it expects that nothing fails. */
static PyObject *pypackpack_bootstrap(void) {
    static PyMethodDef method = {"_spec_from_module", pypackpack_spec, METH_O, NULL};
    static PyObject *holder;
    if (holder == NULL) {
        PyObject *function = PyCFunction_New(&method, NULL);
        holder = PyModule_New("importlib._bootstrap");
        if (function == NULL || holder == NULL || PyObject_SetAttrString(holder, method.ml_name, function) < 0) {
            Py_FatalError("there is no memory for a module's spec");
        }
        Py_DECREF(function);
    }
    return holder;
}

/* Put back what the C wrote over, where the module's code left it. */
static int pypackpack_restore(PyObject *initializing) {
    PyObject *dict = PyModule_GetDict(pypackpack_module);
    PyObject *now = PyDict_GetItemString(dict, "__file__");
    PyObject *file = Py_XNewRef(now != NULL && now == pypackpack_named ? pypackpack_file : now);
    /* What the first assignment to an attribute of a module does was changed by the C, once; with this it has happened. */
    int result = PyObject_SetAttrString(pypackpack_module, "__file__", file != NULL ? file : Py_None);
    if (result == 0 && file == NULL) {
        result = PyDict_DelItemString(dict, "__file__");
    }
    Py_XDECREF(file);
    PyObject *spec = Py_XNewRef(pypackpack_has("__spec__"));
    if (result == 0 && spec != NULL) {
        PyObject *origin = PyObject_GetAttrString(spec, "origin");
        if (origin == NULL || initializing == NULL) {
            PyErr_Clear(); /* some object of somebody's own */
        } else {
            result = PyObject_SetAttrString(spec, "_initializing", initializing);
            if (result == 0 && origin == pypackpack_named && pypackpack_file != NULL) {
                result = PyObject_SetAttrString(spec, "origin", pypackpack_file);
            }
        }
        Py_XDECREF(origin);
    }
    Py_XDECREF(spec);
    return result;
}

static int (*pypackpack_code)(PyObject *module);

/* Run the module's code. */
static int pypackpack_exec(PyObject *module) {
#ifdef MEMBER
    if (pypackpack_nuitka_start(module) < 0) {
        return -1;
    }
#endif
    PyObject *outer = pypackpack_module; /* its code may import it anew */
    pypackpack_module = module;
    Py_XSETREF(pypackpack_file, Py_XNewRef(pypackpack_has("__file__")));
    Py_CLEAR(pypackpack_named);
    PyObject *spec = pypackpack_has("__spec__");
    PyObject *initializing = spec != NULL ? PyObject_GetAttrString(spec, "_initializing") : NULL;
    PyErr_Clear();
    int result = pypackpack_code(module);
    pypackpack_module = module;
    if (result == 0) {
        result = pypackpack_restore(initializing);
    } else {
        PyObject *type, *value, *traceback;
        PyErr_Fetch(&type, &value, &traceback);
        if (pypackpack_restore(initializing) < 0) {
            PyErr_Clear(); /* the first error is the one to tell */
        }
        PyErr_Restore(type, value, traceback);
    }
    Py_XDECREF(initializing);
    pypackpack_module = outer;
    return result;
}

#if defined(MEMBER)
#define ENTRY_EXPORT extern /* seen within the file: see unit.c */
#elif defined(_WIN32)
#define ENTRY_EXPORT __declspec(dllexport)
#else
#define ENTRY_EXPORT __attribute__((visibility("default")))
#endif

ENTRY_EXPORT PyObject *ENTRY(void) {
    static PyModuleDef_Slot slots[2];
    PyObject *made = MADE();
    if (made != NULL && PyObject_TypeCheck(made, &PyModuleDef_Type)) {
        PyModuleDef *definition = (PyModuleDef *)made;
        pypackpack_code = (int (*)(PyObject *))definition->m_slots[0].value;
        slots[0].slot = Py_mod_exec;
        slots[0].value = (void *)pypackpack_exec;
        definition->m_slots = slots;
    }
    return made;
}

#endif
