"""Prints what a package answers: ``python ask.py <package>``."""

import importlib
import json
import sys

print(json.dumps(importlib.import_module(sys.argv[1]).answers()))
