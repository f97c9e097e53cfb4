"""Whether a file can be merged by its meaning: it parses, and nobody is in the midst of a merge of his own."""

from __future__ import annotations

import ast
import re

from mlox.errors import WorkspaceError

_MARKERS = re.compile(rb"^(<{7}|\|{7}|>{7})( |\r?$)", re.MULTILINE)


def check_parses(path: str, content: bytes) -> None:
    """Refuse a Python file that no Python can read, and any file with markers of a merge in it.

    Raises:
        WorkspaceError: it is one; the problem names the line.
    """
    marker = _MARKERS.search(content)
    if marker is not None:
        line = content.count(b"\n", 0, marker.start()) + 1
        raise WorkspaceError(
            f"{path}:{line}: there are markers of a merge that is not finished; nothing was written",
            hint="Finish it, then run the same command again.",
        )
    if not path.endswith((".py", ".pyi")):
        return
    try:
        ast.parse(content)
    except (SyntaxError, ValueError) as error:
        where = f"{path}:{error.lineno}:{error.offset}" if isinstance(error, SyntaxError) else path
        raise WorkspaceError(
            f"{where}: this is not Python that mlox can read: {getattr(error, 'msg', error)}; nothing was written",
            hint="Mend the file, then run the same command again.",
        ) from error
