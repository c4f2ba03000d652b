import os
import sys

from setuptools import Extension, setup

# Written down so that a test sees what a setup.py was told.
with open("seen.py", "w") as stream:
    stream.write(f"PLATFORM = {sys.platform!r}\nOS = {os.name!r}\n")

setup(py_modules=["by_setuptools", "seen"], ext_modules=[Extension("_speedup", ["speedup.c"], optional=True)])
