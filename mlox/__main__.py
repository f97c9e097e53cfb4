"""``python -m mlox``: the same as the console script."""

import sys

from mlox.cli import main

sys.exit(main())
