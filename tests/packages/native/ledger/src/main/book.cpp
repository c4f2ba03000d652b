#include <Python.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <typeinfo>

#include "entry.hpp"

namespace {

std::map<std::string, long> &accounts() {
  static std::map<std::string, long> all;
  return all;
}

PyObject *translated() {
  try {
    throw;
  } catch (const std::out_of_range &) {
    PyErr_SetString(PyExc_KeyError, "no such account");
  } catch (const std::exception &error) {
    PyErr_SetString(PyExc_ValueError, error.what());
  }
  return nullptr;
}

PyObject *balance(PyObject *, PyObject *arguments) {
  const char *name;
  long amount;
  if (!PyArg_ParseTuple(arguments, "sl", &name, &amount)) return nullptr;
  return PyLong_FromLong(accounts()[std::string(name)] += amount);
}

PyObject *entry(PyObject *, PyObject *name) {
  try {
    return PyLong_FromLong(accounts().at(PyUnicode_AsUTF8(name)));
  } catch (...) {
    return translated();
  }
}

PyObject *kind(PyObject *, PyObject *number) {
  try {
    std::unique_ptr<Entry> made = make_entry(PyLong_AsLong(number));
    return PyUnicode_FromFormat("%s %d", made->name().c_str(), dynamic_cast<Credit *>(made.get()) != nullptr);
  } catch (...) {
    return translated();
  }
}

PyMethodDef methods[] = {
    {"balance", balance, METH_VARARGS, nullptr},
    {"entry", entry, METH_O, nullptr},
    {"kind", kind, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef definition = {PyModuleDef_HEAD_INIT, "book", nullptr, -1, methods, nullptr, nullptr, nullptr, nullptr};

}  // namespace

extern "C" PyObject *PyInit_book(void) { return PyModule_Create(&definition); }
