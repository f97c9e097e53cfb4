"""Imports that both sides write otherwise: they go where a sorter has put the others, and names keep their comments."""

from __future__ import annotations

import pytest

from mlox.components.merge import MergeResult
from mlox.components.merge.python import merge_python


def by_item(base: str, left: str, right: str) -> MergeResult:
    """The merge by items, also where git's merge of the lines is clean."""
    got = merge_python(base, left, right, "full")
    assert got is not None
    return got


USE = "\nprint(json, sys, path)\n"
SORTED = "import json\nimport sys\nfrom os import path\n"
MIXED = "from os import path\nimport json\nimport sys\n"
PLACES = {
    "froms last": (
        MIXED,
        SORTED,
        f"{MIXED}import logging\n",
        "import json\nimport logging\nimport sys\nfrom os import path\n",
    ),
    "a from": (
        MIXED,
        SORTED,
        f"{MIXED}from abc import ABC\n",
        "import json\nimport sys\nfrom abc import ABC\nfrom os import path\n",
    ),
    "by modules": (
        MIXED,
        "import json\nfrom os import path\nimport sys\n",
        f"{MIXED}import logging\n",
        "import json\nimport logging\nfrom os import path\nimport sys\n",
    ),
    "above all": (MIXED, SORTED, f"{MIXED}import ast\n", f"import ast\n{SORTED}"),
    "two": (
        MIXED,
        SORTED,
        f"{MIXED}import zlib\nimport ast\n",
        "import ast\nimport json\nimport sys\nimport zlib\nfrom os import path\n",
    ),
    "a group of its own": (
        f"{MIXED}import numpy\n",
        f"{SORTED}\nimport numpy\n",
        f"{MIXED}import numpy\nimport logging\n",
        "import json\nimport logging\nimport sys\nfrom os import path\n\nimport numpy\n",
    ),
    "not sorted": (
        MIXED,
        "import sys\nfrom os import path\nimport json\n",
        f"{MIXED}import logging\n",
        None,
    ),
    "with a comment": (MIXED, SORTED, f"{MIXED}# why\nimport logging\n", None),
    "a star": (MIXED, SORTED, f"{MIXED}from abc import *\n", None),
}


@pytest.mark.parametrize("case", PLACES)
def test_an_import_goes_where_the_other_sides_sorter_has_it(case: str) -> None:
    base, mine, theirs, both = PLACES[case]
    got = by_item(base + USE, mine + USE, theirs + USE)
    other = by_item(base + USE, theirs + USE, mine + USE)
    assert got.clean
    assert other.clean
    assert got.text.splitlines()[-1] == USE.strip()
    if both is None:
        added = next(line for line in theirs.splitlines() if line not in base)
        rest = [line for line in got.text.splitlines() if line not in {added, "import logging"}]
        assert rest == (mine + USE).splitlines()
    else:
        assert got.text == other.text == both + USE


def imports(*lines: str) -> str:
    return "".join(("from os import (\n", *(f"    {line}\n" for line in lines), ")\n"))


PLAIN = "from os import path, sep\n"
COMMENTED = imports("path,", "sep,  # ours")
TAKEN_APART = {
    "one more": (PLAIN, COMMENTED, "from os import curdir, path, sep\n", imports("curdir,", "path,", "sep,  # ours")),
    "one less": (PLAIN, COMMENTED, "from os import sep\n", imports("sep,  # ours")),
    "one more at the end": (
        PLAIN,
        COMMENTED,
        "from os import path, sep, stat\n",
        imports("path,", "sep,  # ours", "stat,"),
    ),
    "a comment above": (
        PLAIN,
        imports("# ours", "path,", "sep,"),
        "from os import curdir, path, sep\n",
        imports("curdir,", "# ours", "path,", "sep,"),
    ),
    "a comment by the bracket": (
        PLAIN,
        "from os import (  # ours\n    path,\n    sep,\n)\n",
        "from os import curdir, path, sep\n",
        "from os import (  # ours\n    curdir,\n    path,\n    sep,\n)\n",
    ),
    "a comment at the end": (
        imports("path,", "sep,"),
        imports("path,", "sep,", "# more to come"),
        imports("curdir,", "path,", "sep,"),
        imports("curdir,", "path,", "sep,", "# more to come"),
    ),
    "comments of both": (
        imports("path,", "sep,"),
        imports("path,  # one", "sep,"),
        imports("path,", "sep,  # two", "stat,"),
        imports("path,  # one", "sep,  # two", "stat,"),
    ),
    "a comment taken away": (
        imports("path,  # one", "sep,"),
        imports("path,", "sep,"),
        imports("path,  # one", "sep,", "stat,"),
        imports("path,", "sep,", "stat,"),
    ),
    "behind the line": (
        "from os import path\n",
        "from os import path  # noqa\n",
        "from os import (\n    path,\n    sep,\n)\n",
        "from os import path, sep  # noqa\n",
    ),
    "lines of the user's": (
        PLAIN,
        "from os import (\n    path, sep\n)\n",
        "from os import path, sep, stat\n",
        "from os import (\n    path, sep, stat\n)\n",
    ),
    "the comment of what goes": (PLAIN, COMMENTED, "from os import path\n", None),
    "two comments on one": (
        imports("path,", "sep,"),
        imports("path,  # one", "sep,"),
        imports("path,  # two", "sep,", "stat,"),
        None,
    ),
}


@pytest.mark.parametrize("case", TAKEN_APART)
def test_names_of_an_import_keep_their_comments(case: str) -> None:
    base, mine, theirs, both = TAKEN_APART[case]
    for left, right in ((mine, theirs), (theirs, mine)):
        got = by_item(base, left, right)
        if both is None:
            assert not got.clean
        else:
            assert got.text == both
            assert [one.rule for one in got.applied] == ["imports"]
