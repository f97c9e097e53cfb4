"""What update and remove tell: who names what goes, what stays and why, what is asked; and scripts do the same."""

from __future__ import annotations

import json

import pytest

import mlox
from mlox.errors import UsageError, WorkspaceError
from tests.component_stage import LOUDER, WORDS, WORDS_PATH, Shop, newer, offer, template_files
from tests.git_stage import notebook
from tests.layer_stage import serving
from tests.shell_stage import Say

RENAMED = WORDS.replace(b"TIMES", b"HOW_OFTEN")


@pytest.fixture
def used(shop: Shop) -> Shop:
    """A component that the user's modules and a notebook import."""
    shop.add()
    shop.put("src/churn/model.py", "from .greeting.words import TIMES\nfrom churn.greeting import words\n")
    shop.put("src/churn/other.py", "from churn.greeting import greet\n\nimport churn.greeting.words as w\n")
    cells = "%load_ext autoreload\nfrom churn.greeting.words import TIMES, KEEP\n"
    shop.put("notebooks/look.ipynb", json.dumps(notebook(source=cells)))
    shop.put("notebooks/broken.ipynb", "{")
    shop.put("scripts/no.py", "from other.greeting.words import TIMES\nfrom .words import TIMES\nnot python\n")
    return shop


def say_in(say: Say, shop: Shop, *words: str) -> list[str]:
    return say("-C", str(shop.root), *words).out.splitlines()


def test_a_removal_names_whoever_imports_what_goes(used: Shop, say: Say) -> None:
    wanted = [
        "still named in: notebooks/look.ipynb, cell 1 (churn.greeting.words.TIMES)",
        "still named in: src/churn/model.py:1 (churn.greeting.words.TIMES)",
        "still named in: src/churn/model.py:2 (churn.greeting.words)",
        "still named in: src/churn/other.py:1 (churn.greeting.greet)",
        "still named in: src/churn/other.py:3 (churn.greeting.words)",
    ]
    assert set(wanted) <= set(say_in(say, used, "remove", "greeting", "--dry-run")[2:])
    row = say("-C", str(used.root), "--json", "remove", "greeting").json["uses"][0]
    assert row == {"where": "notebooks/look.ipynb, cell 1", "name": "churn.greeting.words.TIMES"}


def test_an_update_names_whoever_imports_a_name_that_is_not_there_any_more(used: Shop, say: Say) -> None:
    manifest = template_files(version="1.1")["component.yaml"].replace(b"words.py:TIMES", b"words.py:HOW_OFTEN")
    newer(used, RENAMED)
    offer(used.root, {"component.yaml": manifest})
    told = [line for line in say_in(say, used, "update", "greeting", "--dry-run") if "still named in" in line]
    assert told == [
        "  still named in: notebooks/look.ipynb, cell 1 (churn.greeting.words.TIMES)",
        "  still named in: src/churn/model.py:1 (churn.greeting.words.TIMES)",
    ]
    assert len(say("-C", str(used.root), "--json", "update").json["components"][0]["uses"]) == 2


def test_what_stays_names_nobody(used: Shop, say: Say) -> None:
    newer(used, LOUDER)
    assert not [line for line in say_in(say, used, "update", "greeting") if "still named in" in line]
    assert not [line for line in say_in(say, used, "remove", "greeting", "--keep") if "still named in" in line]


def test_a_requirement_that_stays_is_told(shop: Shop, say: Say) -> None:
    shop.add()
    shop.put("src/churn/report.py", "import tabulate\n")
    told = say_in(say, shop, "remove", "greeting")
    assert "stays in pyproject.toml: tabulate>=0.9, since src/churn/report.py imports it" in told
    assert "tabulate>=0.9" in shop.read("pyproject.toml")


def test_the_result_of_an_update_shows_what_comes_along(shop: Shop, say: Say) -> None:
    offer(shop.root, serving(), "serving")
    shop.add()
    newer(shop)
    manifest = shop.root / "mlx-components/greeting/component.yaml"
    manifest.write_bytes(manifest.read_bytes() + b'components: {serving: ">=1.0"}\n')
    shown = say_in(say, shop, "diff", "greeting", "--result")
    assert "+++ b/src/churn/serving/app.py" in shown
    assert "+++ b/src/churn/greeting/words.py" in shown


def test_with_nobody_to_ask_the_diff_is_shown_and_the_error_is_short(shop: Shop, say: Say) -> None:
    shop.add()
    shop.put(WORDS_PATH, shop.read(WORDS_PATH).replace("TIMES: int = 1", "TIMES: int = 2"))
    newer(shop)
    before = shop.tree()
    said = say("-C", str(shop.root), "update", "greeting")
    assert (said.code, said.out) == (2, "")
    *diff, problem, hint = said.err.splitlines()
    assert '+    return f"Welcome {name}. " * TIMES' in diff
    assert problem == f"error: This is written into what you edited: {WORDS_PATH}. There is nobody to ask here."
    assert hint == "hint: Add -y if you are sure."
    assert shop.tree() == before
    assert say("-C", str(shop.root), "--json", "update", "greeting").err.count("\n") == 1


def test_a_script_settles_and_takes_back(shop: Shop) -> None:
    component = mlox.Component("greeting", path=shop.root)
    component.add()
    shop.put(WORDS_PATH, shop.read(WORDS_PATH).replace("Hello", "Good day"))
    mine = shop.tree()
    newer(shop)
    with pytest.raises(UsageError, match="nothing to resolve"):
        component.resolve()
    (change,) = [change for change in component.update() if change.word == "conflict"]
    assert (change.path, component.state) == (WORDS_PATH, "conflict")
    with pytest.raises(WorkspaceError, match="not Python"):
        component.resolve(edited={WORDS_PATH: "def ("})
    assert component.resolve("theirs") == (shop.root / WORDS_PATH,)
    assert "Welcome" in shop.read(WORDS_PATH)
    assert component.undo() == "resolve greeting"
    assert component.resolve(edited={WORDS_PATH: WORDS.decode()}) == (shop.root / WORDS_PATH,)
    assert shop.read(WORDS_PATH) == WORDS.decode()
    assert [component.undo(), component.undo()] == ["resolve greeting", "update greeting 1.0 to 1.1"]
    assert shop.tree() == mine


def test_a_script_takes_back_no_change_of_another_component(shop: Shop) -> None:
    component = mlox.Component("greeting", path=shop.root)
    component.add()
    offer(shop.root, template_files("farewell"), "farewell")
    shop.add("farewell")
    with pytest.raises(UsageError, match="not of greeting: add farewell"):
        component.undo()
    assert component.state == "clean"
