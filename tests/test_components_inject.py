"""What adding a component writes, and what it refuses, with nothing changed."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlox.components import read_records
from mlox.errors import MloxError, SpecError, UsageError, WorkspaceError
from tests.component_stage import Shop, offer, template_files

PROJECT = '[project]\nname = "shop"\nversion = "1"\ndependencies = [\n    "rich",  # for tables\n]\n'


def test_an_empty_repository_gets_a_package_and_a_project_file(shop: Shop) -> None:
    record = shop.add()
    assert set(record.files) == {
        "src/churn/greeting/__init__.py",
        "src/churn/greeting/words.py",
        "tests/test_greeting.py",
    }
    assert set(record.made) == {"src/churn/__init__.py", "pyproject.toml"}
    assert '"tabulate>=0.9"' in shop.read("pyproject.toml")
    assert "from churn.greeting import greet" in shop.read("tests/test_greeting.py")
    assert shop.read("src/churn/greeting/__init__.py").count("from .words import") == 1
    assert shop.state() == "clean"


def test_what_was_added_runs_with_its_tests(shop: Shop) -> None:
    shop.add()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=shop.root,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_added_again_it_changes_no_byte(shop: Shop) -> None:
    shop.add()
    before = shop.tree()
    times = {path: path.stat().st_mtime_ns for path in shop.root.rglob("*") if path.is_file()}
    assert shop.components.add(shop.template()) is None
    assert shop.tree() == before
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_added_again_with_other_wishes_it_is_refused(shop: Shop) -> None:
    shop.add()
    for asked in ({"options": {"times": 3}}, {"to": "src/other"}):
        with pytest.raises(UsageError, match="added already, and differs") as caught:
            shop.add(**asked)
        assert "mlox remove greeting" in str(caught.value.hint)
    offer(shop.root, template_files(version="1.1"))
    with pytest.raises(UsageError, match=r"its version is 1\.0, not 1\.1"):
        shop.add()
    assert shop.state() == "update"


def test_what_the_user_edited_is_not_written_again(shop: Shop) -> None:
    shop.add()
    shop.put("src/churn/greeting/words.py", "mine = 1\n")
    (shop.root / "tests/test_greeting.py").unlink()
    before = shop.tree()
    shop.add()
    assert shop.tree() == before
    assert shop.state() == "missing"


@pytest.mark.parametrize(
    ("files", "folder", "package"),
    [
        ({"src/shop/__init__.py": ""}, "src/shop/greeting", "shop.greeting"),
        ({"src/shop/model.py": ""}, "src/shop/greeting", "shop.greeting"),
        ({"src/__init__.py": ""}, "src/greeting", "src.greeting"),
        ({"shop/__init__.py": "", "tests/__init__.py": "", "docs/__init__.py": ""}, "shop/greeting", "shop.greeting"),
        ({"a/__init__.py": "", "churn/__init__.py": ""}, "churn/greeting", "churn.greeting"),
        ({"a/__init__.py": "", "shop/__init__.py": "", "pyproject.toml": PROJECT}, "shop/greeting", "shop.greeting"),
        ({"train.py": "", "lib/notes.txt": ""}, "src/churn/greeting", "churn.greeting"),
    ],
)
def test_it_goes_into_the_package_that_there_is(shop: Shop, files: dict[str, str], folder: str, package: str) -> None:
    for where, text in files.items():
        shop.put(where, text)
    record = shop.add()
    assert (record.folder, record.package) == (folder, package)
    assert f"from {package} import greet" in shop.read("tests/test_greeting.py")
    assert ("src/churn/__init__.py" in record.made) == (folder == "src/churn/greeting")


def test_a_place_can_be_chosen(shop: Shop) -> None:
    record = shop.add(to="src/shop/deep")
    assert (record.folder, record.package) == ("src/shop/deep/greeting", "shop.deep.greeting")
    assert "src/shop/deep/__init__.py" in record.made


@pytest.mark.parametrize(
    "to", ["..", "../x", "src/../..", "/etc", "src/my-shop", "src/class", ".", "json", "src/tabulate"]
)
def test_a_place_that_cannot_be_is_refused(shop: Shop, to: str) -> None:
    before = shop.tree()
    with pytest.raises(UsageError) as caught:
        shop.add(to=to)
    assert caught.value.hint
    assert shop.tree() == before


def test_between_several_packages_somebody_has_to_choose(shop: Shop) -> None:
    shop.put("src/a/__init__.py", "")
    shop.put("src/b/__init__.py", "")
    with pytest.raises(UsageError, match="several packages: a, b") as caught:
        shop.add()
    assert caught.value.hint == "Choose one: --to src/a."
    assert shop.add(to="src/b").package == "b.greeting"


def test_files_that_differ_are_all_named_and_nothing_is_written(shop: Shop) -> None:
    shop.put("src/churn/greeting/words.py", "mine = 1\n")
    shop.put("tests/test_greeting.py", "mine = 2\n")
    before = shop.tree()
    with pytest.raises(WorkspaceError, match="src/churn/greeting/words.py, tests/test_greeting.py") as caught:
        shop.add()
    assert "--to" in str(caught.value.hint)
    assert shop.tree() == before


def test_a_file_that_is_there_word_for_word_is_taken_as_it_is_and_stays(shop: Shop) -> None:
    shop.put("src/churn/__init__.py", "")
    shop.put("src/churn/greeting/words.py", template_files()["src/project/greeting/words.py"])
    before = shop.tree()
    assert shop.add().files["src/churn/greeting/words.py"].adopted
    assert shop.state() == "clean"
    assert shop.remove() == ()
    assert shop.tree() == before


def _folder_in_the_way(root: Path) -> None:
    (root / "tests/test_greeting.py").mkdir(parents=True)


def _file_in_the_way(root: Path) -> None:
    (root / "src").write_text("")


def _link_out(root: Path) -> None:
    (root.parent / "outside").mkdir()
    (root / "tests").symlink_to(root.parent / "outside")


def _link_to_a_file(root: Path) -> None:
    (root.parent / "outside.py").write_text("x = 1\n")
    (root / "tests").mkdir()
    (root / "tests/test_greeting.py").symlink_to(root.parent / "outside.py")


def _project_elsewhere(root: Path) -> None:
    (root.parent / "pyproject.toml").write_text(PROJECT)
    (root / "pyproject.toml").symlink_to(root.parent / "pyproject.toml")


@pytest.mark.parametrize("lay", [_folder_in_the_way, _file_in_the_way, _link_out, _link_to_a_file, _project_elsewhere])
def test_nothing_is_written_through_links_or_over_what_is_no_file(shop: Shop, lay: object) -> None:
    lay(shop.root)  # type: ignore[operator]
    before = {path: path.read_bytes() if path.is_file() else None for path in shop.root.parent.rglob("*")}
    with pytest.raises(MloxError) as caught:
        shop.add()
    assert caught.value.hint
    after = {p: p.read_bytes() if p.is_file() else None for p in shop.root.parent.rglob("*") if "local" not in p.parts}
    assert after == {p: c for p, c in before.items() if "local" not in p.parts}


def test_a_link_within_the_workspace_is_followed(shop: Shop) -> None:
    shop.put("code/churn/__init__.py", "")
    (shop.root / "src").symlink_to("code")
    shop.add()
    assert (shop.root / "code/churn/greeting/words.py").exists()


def test_options_are_written_into_the_code_and_nothing_else_changes(shop: Shop) -> None:
    shop.add(options={"times": 3, "keep": "redis"})
    written = shop.read("src/churn/greeting/words.py").encode()
    original = template_files()["src/project/greeting/words.py"]
    assert written == original.replace(b'KEEP = "none"', b'KEEP = "redis"').replace(
        b"TIMES: int = 1", b"TIMES: int = 3"
    )


def test_a_service_of_the_stack_decides_what_nobody_chose(shop: Shop) -> None:
    shop.components.stack.add("redis")
    assert shop.add().options == {"keep": "redis", "times": 1}
    shop.remove()
    assert shop.add(options={"keep": "none"}).options["keep"] == "none"


def test_a_plan_is_a_value_with_the_hash_of_what_it_replaces(shop: Shop) -> None:
    shop.put("pyproject.toml", PROJECT)
    addition = shop.components.plan(shop.template())
    assert addition is not None
    rows = {row["path"]: row for row in addition.plan.to_json()}
    assert rows["pyproject.toml"]["kind"] == "change"
    assert rows["pyproject.toml"]["replaces"] == hashlib.sha256(PROJECT.encode()).hexdigest()
    assert rows["src/churn/greeting/words.py"]["replaces"] is None
    assert json.loads(json.dumps(addition.plan.to_json())) == addition.plan.to_json()
    again = shop.components.plan(shop.template())
    assert again is not None
    assert again.plan.digest == addition.plan.digest
    assert "change  pyproject.toml" in str(addition.plan)
    assert not (shop.root / "src").exists()


def test_the_record_tells_where_it_came_from_and_what_each_definition_was(shop: Shop) -> None:
    record = shop.add()
    assert (record.version, record.source) == ("1.0", "mlx-components")
    assert record.digest == shop.template().digest
    words = record.files["src/churn/greeting/words.py"]
    assert words.template == "src/project/greeting/words.py"
    assert set(words.definitions) == {"KEEP", "TIMES", "greet"}
    assert shop.read(f".mlox/base/{words.base}") == shop.read("src/churn/greeting/words.py")
    assert read_records(shop.components.tree) == {"greeting": record}


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 2}', '{"format": 1, "name": "x"}'])
def test_a_damaged_record_is_named(shop: Shop, text: str) -> None:
    shop.add()
    shop.put(".mlox/components/greeting.json", text)
    with pytest.raises(SpecError, match=r"\.mlox/components/greeting\.json") as caught:
        shop.components.added()
    assert caught.value.hint == "Bring it back from git."
