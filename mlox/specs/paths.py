"""Which paths a file of a component may have: those that mean the same on every system, and never lead out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

MAX_PATH = 200
MAX_PART = 100
_DEVICES = re.compile(r"(con|prn|aux|nul|clock\$|conin\$|conout\$|(com|lpt)[0-9¹²³])(\..*)?", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:")


def path_fault(path: str) -> str:
    r"""Why no file of a component may have that path, which is written with ``/``; empty where one may.

    Source: Microsoft's "Naming Files, Paths, and Namespaces"; POSIX.1-2017, 3.281, for what is portable.

    Example:
        >>> path_fault("src/app.py"), path_fault("../app.py"), path_fault("aux.py")
        ('', 'leads out of its folder', "has a part that is a device's name")
    """
    parts = path.split("/")
    if not path or any(unicodedata.category(c)[0] == "C" for c in path):
        return "is empty, or has a character that is not printed"
    if path.startswith("/") or _DRIVE.match(path):
        return "is not relative"
    if "\\" in path or ":" in path:
        return "has a backslash or a colon"
    if ".." in parts:
        return "leads out of its folder"
    if "" in parts or "." in parts:
        return "has an empty part"
    if len(path) > MAX_PATH or any(len(part.encode()) > MAX_PART for part in parts):
        return "is too long"
    if any(part != part.strip() or part.endswith(".") for part in parts):
        return "has a part that begins or ends with a space, or ends with a dot"
    if any(_DEVICES.fullmatch(part) for part in parts):
        return "has a part that is a device's name"
    return "" if unicodedata.is_normalized("NFC", path) else "is not in the normal form of Unicode (NFC)"


def clash(paths: Iterable[str]) -> str:
    """Two of ``paths`` that are one file on some system, as ``A and B``; empty where there are none.

    Upper and lower case, and the forms of Unicode, do not tell files apart everywhere; nothing is both a file and a
    folder.

    Example:
        >>> clash(["app.py", "App.py"]), clash(["a.py", "b.py"]), clash(["a", "a/b.py"])
        ('app.py and App.py', '', 'a and a/b.py')
    """
    seen: dict[str, str] = {}
    for path in paths:
        key = _key(path)
        if key in seen:
            return f"{seen[key]} and {path}"
        seen[key] = path
    for key, path in seen.items():
        parts = key.split("/")
        above = next((one for i in range(1, len(parts)) if (one := "/".join(parts[:i])) in seen), None)
        if above is not None:
            return f"{seen[above]} and {path}"
    folders: dict[str, str] = {}
    for path in seen.values():
        parts = path.split("/")
        for i in range(1, len(parts)):
            folder = "/".join(parts[:i])
            if folders.setdefault(_key(folder), folder) != folder:
                return f"{folders[_key(folder)]} and {folder}"
    return ""


def _key(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKD", path).casefold())
