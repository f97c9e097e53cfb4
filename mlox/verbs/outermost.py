"""What every front end does at its outermost place: refuse what cannot act, and make a report of a defect."""

from __future__ import annotations

import os
import sys
import tempfile
import time
import traceback

from mlox.errors import InternalError, PlatformError


def check_platform() -> None:
    """Refuse where mlox cannot act.

    Raises:
        PlatformError: this is Windows, or a kernel inside a browser, without sockets and processes.
    """
    if sys.platform == "win32":
        raise PlatformError("mlox runs on Linux, macOS and WSL2, not on Windows itself", hint="Use it inside WSL2.")
    if sys.platform in ("emscripten", "wasi"):
        raise PlatformError(
            "mlox can start nothing here: Python runs inside a browser, without sockets and processes",
            hint="Use a kernel on Linux, macOS or WSL2.",
        )


def keep_report(error: BaseException) -> InternalError:
    """Keep the traceback in a file of the user's own; the error that says where."""
    descriptor, name = tempfile.mkstemp(prefix=f"mlox-report-{time.strftime('%Y%m%d-%H%M%S')}-", suffix=".txt")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        traceback.print_exception(error, file=file)
    return InternalError(
        f"a defect in mlox: {type(error).__name__}: {error}",
        hint=f"Nothing of yours is wrong; the report is in {name}.",
    )
