"""``python -m <package>.config_management [OVERRIDE...]``: the configuration as it is loaded, secrets masked."""

from __future__ import annotations

import sys

from .errors import ConfigError
from .loading import load

if __name__ == "__main__":
    try:
        print(load(sys.argv[1:]).model_dump_json(indent=2))
    except ConfigError as error:
        sys.exit(f"error: {error}")
