"""Components in a kernel: what is shown before it is written, what is left to a person, and imported modules."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.component_stage import LOUDER, WORDS, WORDS_PATH, offer, template_files
from tests.jupyter.cells import Kernel

FRESH = """
import sys
for name in [one for one in sys.modules if one.partition(".")[0] == "churn"]:
    del sys.modules[name]
sys.path.insert(0, {path!r})
%mlox init churn;
%mlox add greeting;
"""


def brought(root: Path, version: str = "1.0", words: bytes = WORDS) -> None:
    files = template_files(version=version, dependencies="[]")
    offer(root, {**files, "src/project/greeting/words.py": words})


def edit(root: Path, old: str, new: str) -> None:
    path = root / WORDS_PATH
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


@pytest.fixture
def added(kernel: Kernel, isolated: Path) -> Kernel:
    """A kernel in a workspace that has a component, and can import it."""
    brought(isolated)
    (isolated / "src/churn").mkdir(parents=True)
    (isolated / "src/churn/__init__.py").touch()
    ran = kernel.run(FRESH.format(path=str(isolated / "src")))
    assert ran.error is None
    return kernel


def test_what_is_written_into_an_edited_file_is_shown_and_asked_about(added: Kernel, isolated: Path) -> None:
    edit(isolated, "TIMES: int = 1", "TIMES: int = 2  # <b>&")
    brought(isolated, "1.1", LOUDER.replace(b"said, and", b"said <i>and"))
    headless = added.run("%mlox update greeting")
    assert headless.lines == [
        f"error: This is written into what you edited: {WORDS_PATH}. There is nobody to ask here.",
        "hint: Add -y if you are sure.",
    ]
    refused = added.run("%mlox update greeting", ["no"])
    assert refused.lines[0] == "error: nothing was done"
    for ran in (headless, refused):
        (bundle,) = ran.displays
        assert bundle["text/plain"].startswith(f"--- a/{WORDS_PATH}\n+++ b/{WORDS_PATH}\n@@ ")
        shown = bundle["text/html"]
        assert (
            '<span style="background:rgba(46,160,67,.25)">+    return f&quot;Welcome {name}. &quot; * TIMES</span>'
            in shown
        )
        assert "said &lt;i&gt;and" in shown
        assert "<i>" not in shown
        assert "<b>" not in shown
        assert "color:" not in shown.replace("background", "")
    assert "Hello" in (isolated / WORDS_PATH).read_text()
    assert added.run("%mlox update greeting", ["yes"]).error is None
    assert "Welcome" in (isolated / WORDS_PATH).read_text()


def test_what_is_left_to_a_person_is_a_value_and_no_error(added: Kernel, isolated: Path) -> None:
    edit(isolated, "Hello", "Good day")
    brought(isolated, "1.1", LOUDER)
    ran = added.run("left = %mlox update greeting -y\nleft")
    assert f"{WORDS_PATH}: CONFLICT, yours is kept" in ran.text
    assert "settle it: %mlox resolve greeting --mine, --theirs or --edit" in ran.text
    assert added.run("print(left.exit_code)").printed == "3\n"
    assert "waits for you" in added.run("%mlox update greeting -y").lines[0]
    assert added.run("%mlox resolve greeting --mine").error is None
    kept = added.run("%mlox remove greeting")
    assert f"kept, since you edited it: {WORDS_PATH}" in kept.text


def test_modules_that_the_kernel_has_imported_are_told(added: Kernel, isolated: Path) -> None:
    assert added.run("from churn.greeting import greet\nprint(greet('you'))").printed == "Hello you. \n"
    brought(isolated, "1.1", LOUDER)
    told = added.run("%mlox update greeting").text
    assert "still loaded in this kernel as before: churn.greeting.words; restart the kernel" in told
    assert added.run("print(greet('you'))").printed == "Hello you. \n"
    gone = added.run("%mlox remove greeting").text
    assert "still loaded in this kernel as before: churn.greeting; restart the kernel" in gone


def test_autoreload_takes_what_an_update_writes(added: Kernel, isolated: Path) -> None:
    assert added.run("%load_ext autoreload\n%autoreload 2").error is None
    try:
        assert added.run("from churn.greeting import greet\nprint(greet('you'))").printed == "Hello you. \n"
        brought(isolated, "1.1", LOUDER)
        assert "still loaded" not in added.run("%mlox update greeting").text
        assert added.run("print(greet('you'))").printed == "Welcome you. \n"
        assert "still loaded in this kernel as before: churn.greeting" in added.run("%mlox remove greeting").text
    finally:
        added.run("%autoreload 0")


def test_a_kernel_that_imported_nothing_is_told_nothing(added: Kernel, isolated: Path) -> None:
    brought(isolated, "1.1", LOUDER)
    assert "still loaded" not in added.run("%mlox update greeting").text
