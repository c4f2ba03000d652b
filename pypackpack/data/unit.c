/* One extension module that holds all modules of a package.

   The modules are compiled as ever, and their functions PyInit_* renamed. unit_table.h, which is generated, has them by number, and the
   text of pypackpack/client/unit_modules.py. When the package is imported, that text is run first: from then on Python finds the other
   modules. Each is made by its own definition (PEP 489), so that it gets the spec of its name. */

#define PY_SSIZE_T_CLEAN
#include "Python.h"
#include "unit_table.h"

#define UNIT_SLOTS 12

static PyModuleDef unit_def = {PyModuleDef_HEAD_INIT};
static PyModuleDef_Slot unit_slots[UNIT_SLOTS];
static PyObject *(*unit_own_create)(PyObject *, PyModuleDef *);

static PyObject *unit_create(PyObject *self, PyObject *args) {
    Py_ssize_t number;
    PyObject *spec;
    PyObject *def;
    (void) self;
    if (!PyArg_ParseTuple(args, "nO", &number, &spec)) {
        return NULL;
    }
    if (number < 0 || number >= (Py_ssize_t) (sizeof(unit_inits) / sizeof(unit_inits[0]))) {
        PyErr_SetString(PyExc_IndexError, "no such module");
        return NULL;
    }
    def = unit_inits[number]();
    return def == NULL ? NULL : PyModule_FromDefAndSpec((PyModuleDef *) def, spec);
}

static PyMethodDef unit_method = {"create", unit_create, METH_VARARGS, NULL};

static int unit_register(PyObject *spec) {
    PyObject *names = PyDict_New();
    PyObject *code = NULL;
    PyObject *made = NULL;
    PyObject *create = NULL;
    PyObject *function;
    int result = -1;
    if (names == NULL || PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins()) < 0) {
        goto end;
    }
    code = Py_CompileString(unit_modules, "<modules of " UNIT_NAME ">", Py_file_input);
    if (code == NULL) {
        goto end;
    }
    made = PyEval_EvalCode(code, names, names);
    create = PyCFunction_New(&unit_method, NULL);
    if (made == NULL || create == NULL) {
        goto end;
    }
    Py_DECREF(made);
    function = PyDict_GetItemString(names, "register"); /* borrowed */
    made = function == NULL ? NULL : PyObject_CallFunctionObjArgs(function, spec, create, NULL);
    result = made == NULL ? -1 : 0;
end:
    Py_XDECREF(create);
    Py_XDECREF(made);
    Py_XDECREF(code);
    Py_XDECREF(names);
    return result;
}

static PyObject *unit_first(PyObject *spec, PyModuleDef *def) {
    PyObject *name;
    PyObject *module;
    if (unit_register(spec) < 0) {
        return NULL;
    }
    if (unit_own_create != NULL) {
        return unit_own_create(spec, def);
    }
    name = PyObject_GetAttrString(spec, "name");
    module = name == NULL ? NULL : PyModule_NewObject(name);
    Py_XDECREF(name);
    return module;
}

PyMODINIT_FUNC UNIT_INIT(void) {
    PyModuleDef *own = (PyModuleDef *) unit_inits[0]();
    PyModuleDef_Slot *slot;
    int count = 0;
    if (own == NULL) {
        return NULL;
    }
    for (slot = own->m_slots; slot != NULL && slot->slot != 0; slot++) {
        if (slot->slot == Py_mod_create) {
            unit_own_create = (PyObject * (*) (PyObject *, PyModuleDef *) ) slot->value;
        } else if (count < UNIT_SLOTS - 2) {
            unit_slots[count++] = *slot;
        } else {
            PyErr_SetString(PyExc_SystemError, "the definition of " UNIT_NAME " has too many slots");
            return NULL;
        }
    }
    unit_slots[count].slot = Py_mod_create;
    unit_slots[count++].value = (void *) unit_first;
    unit_slots[count].slot = 0;
    unit_def.m_name = own->m_name;
    unit_def.m_doc = own->m_doc;
    unit_def.m_size = own->m_size;
    unit_def.m_methods = own->m_methods;
    unit_def.m_slots = unit_slots;
    unit_def.m_traverse = own->m_traverse;
    unit_def.m_clear = own->m_clear;
    unit_def.m_free = own->m_free;
    return PyModuleDef_Init(&unit_def);
}
