"""What mypy rules out by the platform and the Python that are compiled for."""

import os
import sys

if sys.platform == "win32":
    KIND = "windows"

    def user() -> str:
        return os.environ.get("USERNAME", "none") and "named"
elif sys.platform == "emscripten":
    KIND = "wasm"

    def user() -> str:
        return "browser"
else:
    KIND = "unix"

    def user() -> str:
        return "root" if os.getuid() >= 0 else "none"


def answer_kind() -> object:
    return [KIND, user(), sys.platform, sys.version_info[:2]]


def answer_version() -> object:
    if sys.version_info >= (3, 12):
        return "new"
    return "old"


def answer_size() -> object:
    return sys.maxsize > 2**32
