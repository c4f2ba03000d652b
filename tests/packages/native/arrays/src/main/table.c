#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define NPY_NO_DEPRECATED_API NPY_1_7_API_VERSION
#include <numpy/arrayobject.h>

static PyObject *size(PyObject *self, PyObject *given) {
    (void) self;
    if (!PyArray_Check(given)) {
        PyErr_SetString(PyExc_TypeError, "no array");
        return NULL;
    }
    PyArrayObject *array = (PyArrayObject *) given;
    return Py_BuildValue("nn", (Py_ssize_t) PyArray_SIZE(array), (Py_ssize_t) PyArray_NDIM(array));
}

static PyMethodDef methods[] = {{"size", size, METH_O, "Return how many numbers an array has, in how many dimensions."}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "arrays.table", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_table(void) {
    import_array();
    return PyModule_Create(&definition);
}
