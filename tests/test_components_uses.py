"""Who names what goes with a component: imports, notebooks, texts and settings, by file and line."""

from __future__ import annotations

import json

from tests.component_stage import WORDS, Shop, newer
from tests.shell_stage import Say

GOING = {
    "src/churn/train.py": ("from churn.greeting import greet\n", "src/churn/train.py:1 (churn.greeting.greet)"),
    "src/churn/sub.py": ("\nfrom .greeting.words import TIMES\n", "src/churn/sub.py:2 (churn.greeting.words.TIMES)"),
    "src/churn/whole.py": ("import churn.greeting.words as w\n", "src/churn/whole.py:1 (churn.greeting.words)"),
    "src/churn/module.py": ("from churn import greeting\n", "src/churn/module.py:1 (churn.greeting)"),
    "src/churn/late.py": (
        "import importlib\n\nm = importlib.import_module('churn.greeting.words')\n",
        "src/churn/late.py:3 (churn.greeting.words)",
    ),
    "conf/model.yaml": (
        "# ours\nmodel:\n  _target_: churn.greeting.words.greet\n",
        "conf/model.yaml:3 (churn.greeting.words.greet)",
    ),
    "plugins.toml": ('[points]\na = "churn.greeting.words:greet"\n', "plugins.toml:2 (churn.greeting.words.greet)"),
    "setup.cfg": ("[x]\na = churn.greeting\n", "setup.cfg:2 (churn.greeting)"),
    "notes/try.ipynb": (
        json.dumps(
            {
                "cells": [
                    {"cell_type": "markdown", "source": "churn.greeting"},
                    {"cell_type": "code", "source": ["%load_ext x\n", "from churn.greeting import greet\n"]},
                ]
            }
        ),
        "notes/try.ipynb, cell 2 (churn.greeting.greet)",
    ),
}
STAYING = {
    "src/churn/other.py": "import churn.greetings\nfrom churn import greetings\n",
    "src/churn/broken.py": "from churn.greeting import (\n",
    "conf/other.yaml": "a: churn.greetings.greet\nb: greeting\n",
    "README.md": "churn.greeting\n",
    "notes/broken.ipynb": "churn.greeting",
}


def test_each_place_is_named(shop: Shop) -> None:
    shop.add()
    for path, (text, _) in GOING.items():
        shop.put(path, text)
    for path, text in STAYING.items():
        shop.put(path, text)
    found = shop.components.plan_removal("greeting").uses
    assert sorted(map(str, found)) == sorted(told for _, told in GOING.values())


def test_without_anybody_nothing_is_named(shop: Shop) -> None:
    shop.add()
    assert shop.components.plan_removal("greeting").uses == ()


def test_where_the_code_stays_nobody_misses_it(shop: Shop) -> None:
    shop.add()
    shop.put("src/churn/train.py", "from churn.greeting import greet\n")
    assert shop.components.plan_removal("greeting", keep=True).uses == ()


def test_an_update_names_who_takes_what_a_module_has_no_more(shop: Shop) -> None:
    shop.add()
    shop.put("src/churn/a.py", "from churn.greeting.words import KEEP, TIMES\n")
    shop.put("src/churn/b.py", "from churn.greeting import words\n")
    shop.put("src/churn/c.yaml", "_target_: churn.greeting.words.greet\n")
    newer(shop, WORDS.replace(b"def greet(", b"def hail(") + b"\n\ngreet_all = hail\n")
    assert [str(use) for use in shop.update().uses] == [
        "src/churn/c.yaml:1 (churn.greeting.words.greet)",
        "src/churn/greeting/__init__.py:3 (churn.greeting.words.greet)",
    ]


def test_what_is_removed_and_who_misses_it_is_said(shop: Shop, say: Say) -> None:
    shop.add()
    shop.put("src/churn/train.py", "from churn.greeting import greet\n")
    said = say("-C", str(shop.root), "-y", "remove", "greeting")
    assert (said.code, said.out.splitlines()[-1]) == (0, "still named in: src/churn/train.py:1 (churn.greeting.greet)")
