"""Django's own command line, from this folder or from the root: `python order_service/manage.py COMMAND`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from order_service.__main__ import main  # the root must be on the path first

if __name__ == "__main__":
    sys.exit(main(["manage", *sys.argv[1:]]))
