import json
import os
import sys
from typing import Any

LIMITS = {"rows": 10, "columns": 20}


def load(
    path: str,
    *,
    strict: bool = False,
    encoding: str = "utf-8",
    columns: "list[str] | None" = None,
) -> Any:
    with open(path, encoding=encoding) as file:
        value = json.load(file)
    if strict and not value:
        raise ValueError("nothing in %s" % os.path.basename(path))
    return value


def main():
    print(load(sys.argv[1]), LIMITS)
