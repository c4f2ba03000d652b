/* A C part that a setup.py calls optional: without a compiler for the target it would silently be left out. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *
facts(PyObject *self, PyObject *args)
{
    Py_ssize_t length;
    const char *text;
    if (!PyArg_ParseTuple(args, "s#", &text, &length)) {
        return NULL;
    }
    return Py_BuildValue("nii", length, (int)sizeof(void *), (int)sizeof(long));
}

static PyMethodDef methods[] = {{"facts", facts, METH_VARARGS, "Length of a text, size of a pointer, size of a long."}, {NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "_speedup", .m_size = 0, .m_methods = methods};

PyMODINIT_FUNC
PyInit__speedup(void)
{
    return PyModule_Create(&module);
}
