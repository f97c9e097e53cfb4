"""Which modules a verb loads, and that what is listed does not depend on it."""

from __future__ import annotations

import subprocess
import sys

from mlox.verbs import FAMILIAR, OFTEN, all_verbs

VERBS = all_verbs()


def test_verbs_that_are_loaded_alone_are_all_that_begin_with_their_word() -> None:
    for word, module in OFTEN.items():
        beginning = {name: verb.function.__module__ for name, verb in VERBS.items() if name.split()[0] == word}
        assert beginning == {word: f"mlox.verbs.{module}"}
        assert word not in FAMILIAR


def test_verbs_are_listed_in_one_order_whichever_is_loaded_first() -> None:
    code = "from mlox.verbs import all_verbs, find_verb; {}; print(*all_verbs(), sep=',')"
    listed = [
        subprocess.run([sys.executable, "-c", code.format(first)], capture_output=True, text=True, check=True).stdout
        for first in ("0", "find_verb(['status'])")
    ]
    assert listed[0] == listed[1]
    assert listed[0].strip().split(",") == list(VERBS)
