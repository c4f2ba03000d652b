#include <Python.h>
#include <stdarg.h>
#include <stdio.h>

#include "checksum.h"
#include "limits_of.h"

#ifndef HERE
#define HERE "elsewhere"
#endif

static PyObject *scaled(PyObject *self, PyObject *argument) {
  long number = PyLong_AsLong(argument);
  if (number == -1 && PyErr_Occurred()) return NULL;
  return PyLong_FromLong(number * SCALE);
}

static PyObject *sum_of(PyObject *self, PyObject *argument) {
  char *bytes;
  Py_ssize_t size;
  if (PyBytes_AsStringAndSize(argument, &bytes, &size) < 0) return NULL;
  return PyLong_FromUnsignedLong(mixture_checksum(bytes, (size_t)size));
}

static int passed_on(char *room, size_t size, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int all = vsnprintf(room, size, format, arguments);
  va_end(arguments);
  return all;
}

/* Formatted output of the C library: how much was to be written, and what there was room for; and where there is room enough. */
static PyObject *shown(PyObject *self, PyObject *argument) {
  char room[12];
  int all = snprintf(room, sizeof room, "%.3f|%lld|%5s|", 1.5, 1234567890123LL, "x");
  char more[40], most[40];
  int passed = passed_on(more, 9, "%d %s|%5.1e", -7, "seven", 0.00125);
  int whole = sprintf(most, "%08x %c%%", 48879, 'q');
  int streamed = fprintf(stderr, "%s", "");
  fputs("", stderr);
  fflush(stderr);
  return Py_BuildValue("isisisi", all, room, passed, more, whole, most, streamed);
}

static PyMethodDef methods[] = {
    {"scaled", scaled, METH_O, "A number, scaled."},
    {"checksum", sum_of, METH_O, "The checksum of bytes (FNV-1a)."},
    {"shown", shown, METH_NOARGS, "Numbers as C writes them."},
    {NULL, NULL, 0, NULL},
};

static int run(PyObject *module) {
  return PyModule_AddStringConstant(module, "HERE", HERE) < 0 ||
                 PyModule_AddIntConstant(module, "WIDEST", WIDEST) < 0
             ? -1
             : 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, run}, {0, NULL}};

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "speedups", NULL, 0, methods, slots, NULL, NULL, NULL};

/* PyInit_wave() { in a comment makes no module. */
PyMODINIT_FUNC
PyInit_speedups(void)
{
  return PyModuleDef_Init(&definition);
}
