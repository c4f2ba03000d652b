"""``python -m behaviour``."""

import sys

from behaviour import __version__

if __name__ == "__main__":
    print("behaviour", __version__, *sys.argv[1:])
    sys.exit(3)
