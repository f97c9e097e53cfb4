"""The process of the page: reads what is asked from its standard input, and ends when that is closed."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from mlox.errors import MloxError
from mlox_jupyter.web.asked import Answers, Asked


def main() -> int:
    """Serve until standard input ends, or until SIGINT or SIGTERM; nothing of it is left then."""
    # What kernels print belongs to the log: standard output has the one answer.
    with os.fdopen(os.dup(sys.stdout.fileno()), "w") as out, tempfile.TemporaryDirectory(prefix="mlox-ui-") as made:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        answers = Answers(out)
        asked = Asked.read(sys.stdin.readline())
        from mlox_jupyter.web.server import serve

        try:
            serve(asked, Path(made), answers)
        except MloxError as error:
            answers.failed(error)
            return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
