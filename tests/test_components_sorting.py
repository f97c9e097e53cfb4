"""What a diff shows of imports: what they bring, and not how a sorter laid them out."""

from __future__ import annotations

import ast
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlox.components.bindings import Binding, imported
from mlox.components.sorting import imports_as_before
from mlox.components.views import FileDiff
from tests.component_stage import Shop, newer

OLD = """\
\"\"\"What it is.\"\"\"

from __future__ import annotations

import json
from zlib import crc32
from .words import greet
import os
from collections.abc import Mapping, Sequence

import numpy

LIMIT = 3


def f() -> None:
    pass
"""
SORTED = """\
\"\"\"What it is.\"\"\"

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from collections.abc import Sequence
from zlib import crc32

import numpy

from .words import greet

LIMIT = 3


def f() -> None:
    pass
"""


def shown(old: str, new: str) -> list[str]:
    """The lines that a diff takes out and puts in."""
    lines = FileDiff("a.py", old.encode(), new.encode()).lines()
    return [line for line in lines[2:] if line[0] in "+-"]


def test_sorted_imports_are_no_change() -> None:
    assert shown(OLD, SORTED) == []
    assert shown(SORTED, OLD) == []
    assert FileDiff("a.py", OLD.encode(), SORTED.encode(), formatting=True).lines()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("LIMIT = 3", "LIMIT = 4", ["-LIMIT = 3", "+LIMIT = 4"]),
        ("import os\n", "import os\nimport re\n", ["+import re"]),
        ("import json\n", "", ["-import json"]),
        (
            "from zlib import crc32\n",
            "from zlib import adler32\n",
            ["-from zlib import crc32", "+from zlib import adler32"],
        ),
        ("import numpy\n", "import numpy as np\n", ["-import numpy", "+import numpy as np"]),
        (
            "from collections.abc import Sequence\n",
            "",
            ["-from collections.abc import Mapping, Sequence", "+from collections.abc import Mapping"],
        ),
        (
            "from collections.abc import Mapping\nfrom collections.abc import Sequence\n",
            "from collections.abc import (\n    Mapping,\n    Sequence,\n    Set,\n)\n",
            [
                "-from collections.abc import Mapping, Sequence",
                *("+from collections.abc import (", "+    Mapping,", "+    Sequence,", "+    Set,", "+)"),
            ],
        ),
    ],
)
def test_beside_sorting_a_change_is_shown_alone(old: str, new: str, expected: list[str]) -> None:
    assert SORTED.count(old) == 1
    assert shown(OLD, SORTED.replace(old, new)) == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("from a import *\nfrom b import *\n", "from b import *\nfrom a import *\n"),
        ("from a import x\nfrom b import x\n", "from b import x\nfrom a import x\n"),
        ("import a.b as c\nimport c\n", "import c\nimport a.b as c\n"),
        ("import sys\nsys.path.insert(0, '.')\nimport a\n", "import sys\nimport a\nsys.path.insert(0, '.')\n"),
        ("import a\n# after a\nimport b\n", "import b\nimport a\n# before all\n"),
        ("if x:\n    from a import y\n    from b import y\n", "if x:\n    from b import y\n    from a import y\n"),
        (
            "try:\n    import a\nexcept ImportError:\n    import b\n",
            "try:\n    import b\nexcept ImportError:\n    import a\n",
        ),
    ],
)
def test_an_order_that_tells_something_is_shown(old: str, new: str) -> None:
    assert shown(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("import a.b\nimport a.c\n", "import a.c, a.b\n"),
        ("if x:\n    import b\n    import a\n", "if x:\n    import a\n    import b\n"),
        ("def f():\n    from .b import c\n    import a\n", "def f():\n    import a\n\n    from .b import c\n"),
        ("try:\n    import b, a\nexcept E:\n    pass\n", "try:\n    import a\n    import b\nexcept E:\n    pass\n"),
        ("match x:\n    case 1:\n        import b, a\n", "match x:\n    case 1:\n        import a, b\n"),
        ("from . import b\nfrom .. import a\n", "from .. import a\nfrom . import b\n"),
        ("import b\nimport a", "import a\nimport b"),
        ("import b\r\nimport a\r\nx = 1\r\n", "import a\r\nimport b\r\nx = 1\r\n"),
        ("import b  # why\nimport a\n", "import a\nimport b  # why\n"),
        ("# of b\nimport b\n# of a\nimport a\n", "# of a\nimport a\n# of b\nimport b\n"),
        ("import b\nimport a\nx()\nimport d\nimport c\n", "import a\nimport b\nx()\nimport c\nimport d\n"),
    ],
)
def test_wherever_they_stand(old: str, new: str) -> None:
    assert shown(old, new) == []


def test_lines_are_those_of_python() -> None:
    old = "x = 1\n\f\nimport b\nimport a\n\ny = 'a\x1cb'\nz = 3\n"
    assert shown(old, old.replace("import b\nimport a", "import a\nimport b")) == []
    assert shown(old, old.replace("z = 3", "z = 4")) == ["-z = 3", "+z = 4"]


NAMES = [Binding(module, name) for module in ("a", "b.c", ".d", "e") for name in ("", "x1", "x2", "x3")]
SOME = [one for one in NAMES if one.name or not one.module.startswith(".")]


def _block(found: Sequence[Binding], chance: random.Random) -> str:
    """Imports of these, in any order, with some of a module on one line."""
    left, lines = list(found), []
    chance.shuffle(left)
    while left:
        first = left.pop()
        same = [one for one in left if one.name and first.name and one.module == first.module and chance.random() < 0.5]
        left = [one for one in left if one not in same]
        lines.append(first.line.rstrip("\n") + "".join(f", {one.name}" for one in same) + "\n")
        if chance.random() < 0.2:
            lines.append("\n")
    return "".join(lines)


def _one_each(found: Sequence[Binding]) -> list[Binding]:
    return list({one.bound: one for one in found}.values())


@given(
    first=st.lists(st.sampled_from(SOME), unique=True).map(_one_each),
    second=st.lists(st.sampled_from(SOME), unique=True).map(_one_each),
    seed=st.randoms(use_true_random=False),
)
def test_what_is_shown_brings_what_the_new_one_brings(
    first: list[Binding], second: list[Binding], seed: random.Random
) -> None:
    old, new = (f"{_block(found, seed)}x = 1\n" for found in (first, second))
    text = imports_as_before(old, new)
    assert imported(text) == set(second)
    ast.parse(text)
    if set(first) == set(second):
        assert text.strip() == old.strip()
    elif not set(first) - set(second):
        kept = [line for line in text.splitlines() if line in old.splitlines() and line]
        assert kept == [line for line in old.splitlines() if line in kept]


def test_my_sorted_imports_are_not_shown_and_an_update_keeps_them(shop: Shop) -> None:
    words = "import re\nimport os\nfrom json import loads, dumps\n\n\ndef greet(name: str) -> str:\n    return name\n"
    constants = 'KEEP = "none"\nTIMES = 1\n'
    newer(shop, (words + constants).encode(), version="1.0")
    shop.add()
    mine = words.replace(
        "import re\nimport os\nfrom json import loads, dumps\n", "import os\nimport re\nfrom json import dumps, loads\n"
    )
    shop.put("src/churn/greeting/words.py", mine + constants)
    assert [line for one in shop.changes.diff("greeting", "mine") for line in one.lines()] == []
    assert [line for one in shop.changes.diff("greeting", "mine", formatting=True) for line in one.lines()]
    newer(shop, (words.replace("return name", "return dumps(name)") + constants).encode())
    (found,) = [
        [line for line in one.lines()[2:] if line[0] in "+-"]
        for one in shop.changes.diff("greeting", "result", shop.template())
        if one.path.endswith("words.py")
    ]
    assert found == ["-    return name", "+    return dumps(name)"]
    shop.update()
    assert shop.read("src/churn/greeting/words.py") == mine.replace("return name", "return dumps(name)") + constants
