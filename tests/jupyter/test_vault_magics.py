"""The vault from a notebook: what the magics tell, ask and refuse."""

from __future__ import annotations

from pathlib import Path

import pyrage
import pytest

from mlox.errors import RecipientsChangedError
from tests.jupyter.cells import Kernel, Run

pytestmark = pytest.mark.slow


@pytest.fixture
def churn(run: Run) -> Run:
    """In a workspace."""
    run("%mlox init churn")
    return run


def a_key() -> str:
    return str(pyrage.x25519.Identity.generate().to_public())


def test_a_secret_of_the_vault_is_set_read_and_never_shown(churn: Run) -> None:
    assert churn("%mlox secrets set DEMO_TOKEN --generate 24").text == "DEMO_TOKEN set, readable by: you"
    assert churn("import mlox\nmlox.secrets.get('DEMO_TOKEN')").text == "Secret('***')"
    assert churn("%mlox secrets get DEMO_TOKEN").text == "DEMO_TOKEN  store: vault"
    assert churn("%mlox secrets get DEMO_TOKEN --reveal").lines[0].startswith("error: secrets are not shown")
    assert churn("%mlox secrets list").text == "DEMO_TOKEN  vault  you"


def test_sharing_speaks_of_the_magic_and_shows_no_key_in_its_plain_text(churn: Run, isolated: Path) -> None:
    churn("%mlox secrets set DEMO_TOKEN --generate 24")
    key = a_key()
    (isolated / ".mlox" / "requests").mkdir()
    (isolated / ".mlox" / "requests" / "bob").write_text(f"{key}\n")
    listed = churn("%mlox secrets share").text.splitlines()
    assert listed[-1] == "let them in: %mlox secrets share bob"
    assert key not in "\n".join(listed)
    assert churn("%mlox secrets share bob").lines[1] == "hint: Add -y if you are sure."
    assert churn("%mlox secrets share bob -y").text.splitlines() == [
        "bob can read what is in the vault, and what is set from now on",
        "sealed again: DEMO_TOKEN",
        "commit .mlox/ for it to reach others",
    ]
    assert churn("%mlox secrets unshare bob -y").text.splitlines() == [
        "bob is no recipient any more",
        "bob could read, and may have kept: DEMO_TOKEN",
        "change these where they are used, then set them anew: DEMO_TOKEN",
    ]


def test_a_changed_list_is_an_error_where_nobody_can_be_asked(churn: Run, isolated: Path) -> None:
    churn("%mlox secrets set DEMO_TOKEN --generate 24")
    recipients = isolated / ".mlox" / "recipients"
    recipients.write_text(f"{recipients.read_text()}# mallory\n{a_key()}\n")
    ran = churn("%mlox secrets set DEMO_TOKEN --generate 24 -y")
    assert ran.error is not None
    assert ran.error["ename"] == RecipientsChangedError.__name__
    assert ran.lines[1] == "hint: If that is right: %mlox secrets share mallory; if not: %mlox secrets unshare mallory"


def test_in_a_kernel_a_person_agrees_by_name_and_types_a_passphrase(kernel: Kernel, isolated: Path) -> None:
    kernel.run("%mlox init churn\n%mlox secrets set DEMO_TOKEN --generate 24")
    recipients = isolated / ".mlox" / "recipients"
    recipients.write_text(f"{recipients.read_text()}# mallory\n{a_key()}\n")
    assert kernel.run("%mlox secrets set DEMO_TOKEN --generate 24", ["yes"]).lines[0] == "error: nothing was done"
    ran = kernel.run("%mlox secrets set DEMO_TOKEN --generate 24", ["mallory"])
    assert ran.text == "DEMO_TOKEN set, readable by: you, mallory"
    ran = kernel.run("%mlox secrets key save copy.age", ["correct horse", "correct horse"])
    assert ran.text.splitlines()[0] == "saved your key to copy.age"
    assert "horse" not in repr(ran)
    copy = (isolated / "copy.age").read_bytes()
    assert b"AGE-SECRET-KEY-1" in pyrage.passphrase.decrypt(copy, "correct horse")
