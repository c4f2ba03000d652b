"""Start Nuitka, or a tool of it, on this Python without seeing anything else that is installed beside it.

    python -S -s nuitka_start.py <folder that holds the package nuitka> <path of its __main__ below that folder> <words…>

Started as a script by `pypackpack.backend.tools.nuitka`; it must not import anything of pypackpack. Nuitka looks at ``sys.path``
to know what is installed, and what it knows may change the C: so there is the standard library on it, and nothing more.
"""

from __future__ import annotations

import os
import runpy
import sys


def main() -> None:
    """Become the program that is named."""
    sys.path.pop(0)  # the folder of this script
    home, program = sys.argv[1:3]
    # How Nuitka's two programs are told where their own package lies; with the number of the process, which the first wants.
    os.environ["NUITKA_PACKAGE_HOME"] = f"{os.getpid()}:{home}" if program.startswith("nuitka/__main__") else home
    place = os.path.join(home, *program.split("/"))  # noqa: PTH118 - the programs compare paths as text
    sys.argv[:3] = [place]
    runpy.run_path(place, run_name="__main__")


if __name__ == "__main__":
    main()
