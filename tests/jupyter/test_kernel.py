"""What cells give in a real kernel: errors, displays, progress, questions, interrupts; headless and with a person."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tests.jupyter.cells import WAIT_FOR_DEPLOYMENT, Kernel, Ran

HEADLESS = None
PERSON: tuple[str, ...] = ()
JSON = "application/vnd.mlox+json"

ERRORS = {
    "%mlox up mlfow": ("UnknownNameError", "unknown service 'mlfow'", "Did you mean 'mlflow'?"),
    "%mlox up mlflow --nope": ("UsageError", "up: unknown option '--nope'", "Did you mean '--prune'?"),
    "%mlox info": ("UsageError", "info: missing: NAME", "See: %mlox help info."),
    "%mlox upp": ("UnknownNameError", "unknown verb 'upp'", "Did you mean 'up'?"),
    "%mlox deploy mlflow": ("UnknownNameError", "unknown verb 'deploy'", "It is called: %mlox up."),
    "%mlox status": ("WorkspaceError", "no mlox.yaml in .* or above", "Make this folder a workspace: %mlox init."),
    "%mlox up 'mlflow": (
        "UsageError",
        "up 'mlflow: no closing quotation",
        "Close the quotation marks, or write a backslash before one.",
    ),
    "%%mlox up\nservices: 3": ("SpecError", "cell:2: services: .*", "Mend it there; nothing was changed."),
}


TRAIN = """
import time
print("training", flush=True)
try: time.sleep(50)
except KeyboardInterrupt:
    time.sleep(1)
    print(open("model", "w").write("saved"), "bytes saved")
"""


@pytest.mark.parametrize("source", ERRORS)
@pytest.mark.parametrize("answers", [HEADLESS, PERSON], ids=["headless", "with a person"])
def test_an_error_is_two_lines_without_a_traceback(
    kernel: Kernel, source: str, answers: tuple[str, ...] | None
) -> None:
    name, problem, hint = ERRORS[source]
    ran = kernel.run(source, answers)
    assert ran.error is not None
    assert ran.error["ename"] == name
    assert re.fullmatch(problem, ran.error["evalue"])
    assert ran.lines == [f"error: {ran.error['evalue']}", f"hint: {hint}"]
    assert (ran.displays, ran.printed) == ([], "")


def broken(kernel: Kernel, statement: str) -> Ran:
    """What ``%mlox catalog`` gives when it does this."""
    return kernel.run(
        f"""
from dataclasses import replace
from mlox.verbs import all_verbs, table
whole = all_verbs()["catalog"]
def function(ctx, query=None, **_):
    {statement}
table.TABLE["catalog"] = replace(whole, function=function)
try:
    %mlox catalog
finally:
    table.TABLE["catalog"] = whole
"""
    )


def test_a_defect_of_mlox_is_marked_as_one_and_its_report_is_kept(kernel: Kernel) -> None:
    ran = broken(kernel, "return 1 / 0")
    assert ran.error is not None
    assert ran.error["ename"] == "InternalError"
    problem, hint = ran.lines
    assert problem == "error: a defect in mlox: ZeroDivisionError: division by zero"
    found = re.search(r"the report is in (\S+\.txt)\.$", hint)
    assert found
    assert "in function" in Path(found.group(1)).read_text("utf-8")
    Path(found.group(1)).unlink()


@pytest.mark.parametrize(("code", "fails"), [("", False), ("0", False), ("3", True)])
def test_an_exit_is_no_way_around_an_error(kernel: Kernel, code: str, fails: bool) -> None:
    ran = broken(kernel, f"raise SystemExit({code})")
    if fails:
        assert ran.lines == ["error: a command ended with exit code 3"]
    else:
        assert ran == Ran()


@pytest.mark.parametrize(
    "source", ["%mlox --help", "%mlox up --help", "%mlox help up", "%mlox", "%mlox help", "%%mlox -h\n#"]
)
def test_help_is_displayed_and_ends_quietly_also_headless(kernel: Kernel, source: str) -> None:
    ran = kernel.run(source)
    assert ran.text.startswith("usage: %mlox")
    assert ran.printed == ""


def test_values_have_a_text_that_stays_and_html_and_json_beside_it(kernel: Kernel) -> None:
    kernel.run("%mlox init churn\n%mlox up redis", PERSON)
    first, headless = kernel.run("%mlox status", PERSON), kernel.run("%mlox status")
    kernel.run("machine.ports_taken.add(6379)\n%mlox restart redis")
    second = kernel.run("%mlox status", PERSON)
    assert first.text == second.text == headless.text
    assert first.text.splitlines()[0] == "redis  running  local  7.0.15"
    (bundle,) = first.displays
    assert set(bundle) == {"text/plain", "text/html", JSON}
    assert bundle[JSON]["services"][0]["ports"] == {"redis": "127.0.0.1:6379"}
    assert "redis://127.0.0.1:6379" in bundle["text/html"]
    assert 'scope="row"' in bundle["text/html"]
    assert 'scope="col"' in bundle["text/html"]


def test_where_nobody_looks_every_rendering_stays_the_same(kernel: Kernel) -> None:
    kernel.run("%mlox init churn\n%mlox up redis")
    (before,) = kernel.run("%mlox status").displays
    kernel.run("%mlox down redis --purge -y\nmachine.ports_taken.add(6379)\n%mlox up redis")
    (after,) = kernel.run("%mlox status").displays
    assert before == after
    assert "6379" not in json.dumps(before)


def test_json_is_handed_back_when_it_is_asked_for(kernel: Kernel) -> None:
    kernel.run("%mlox init churn")
    ran = kernel.run("x = %mlox plan --json\nprint(type(x['actions']).__name__)\nx")
    assert ran.printed == "list\n"
    assert json.loads(ran.text)["actions"] == []


def test_progress_is_one_display_for_a_person_and_empty_at_the_end(kernel: Kernel) -> None:
    kernel.run("%mlox init churn")
    ran = kernel.run("%mlox up mlflow redis", PERSON)
    progress, result = ran.displays
    shown = [progress["text/plain"], *(update["text/plain"] for update in ran.updates)]
    assert {"✓ mlflow: running", "✓ redis: running"} <= set(shown[-2].splitlines())
    assert shown[-1] == ran.updates[-1]["text/html"] == ""
    assert result["text/plain"].startswith("mlflow  running")
    assert ran.printed == ""


def test_progress_leaves_nothing_where_nobody_looks(kernel: Kernel) -> None:
    ran = kernel.run("%mlox init churn\n%mlox up redis")
    assert (len(ran.displays), ran.updates, ran.printed) == (1, [], "")


def test_progress_is_plain_lines_where_nobody_looks_and_it_was_asked_for(kernel: Kernel) -> None:
    ran = kernel.run("%mlox init churn\n%mlox up redis -v")
    assert ran.printed.splitlines() == ["redis: starting", "redis: running"]
    assert kernel.run("%mlox restart redis -q", PERSON).updates == []


def test_the_sdk_works_inside_the_kernels_running_loop(kernel: Kernel) -> None:
    ran = kernel.run(
        "import asyncio\nasyncio.get_running_loop()\n%mlox init churn\n%mlox up redis;\nawait asyncio.sleep(0)"
    )
    assert ran.error is None


def test_detach_hands_back_something_to_wait_for(kernel: Kernel) -> None:
    kernel.run("%mlox init churn\nmachine.sick.add('redis.server')")
    ran = kernel.run("going = %mlox up redis --detach\ngoing")
    assert ran.text == "deploying in the background; see: %mlox status"
    begun = kernel.run("while not machine.observe(): pass\n%mlox status")
    assert begun.text.startswith("redis  starting")
    assert kernel.run("machine.sick.clear()\ngoing.wait()").text.splitlines()[0] == "redis  running  local  7.0.15"


def test_an_interrupt_stops_the_wait_and_not_the_deployment(kernel: Kernel) -> None:
    kernel.run("%mlox init churn\nmachine.sick.add('redis.server')")
    request = kernel.begin("%mlox up redis")
    kernel.end(request, until=lambda ran: any("starting" in text for text in ran.texts))
    kernel.manager.interrupt_kernel()
    ran = kernel.end(request)
    assert ran.lines == [
        "error: stopped waiting; the deployment goes on in this process",
        "hint: Look how it stands: %mlox status.",
    ]
    assert kernel.run("%mlox status").text.startswith("redis  starting")
    kernel.run("machine.sick.clear()\n" + WAIT_FOR_DEPLOYMENT)
    assert kernel.run("%mlox status").text.startswith("redis  running")


def test_an_interrupted_command_ends_in_its_own_time_and_mlox_says_how_to_go_on(kernel: Kernel, isolated: Path) -> None:
    kernel.run("%mlox init churn")
    (isolated / "train.py").write_text(TRAIN)
    request = kernel.begin(f"%mlox run -- {sys.executable} train.py")
    kernel.end(request, until=lambda ran: "training" in ran.printed)
    kernel.manager.interrupt_kernel()
    ran = kernel.end(request)
    assert (ran.lines[0], "5 bytes saved" in ran.printed) == ("error: interrupted", True)
    assert (isolated / "model").read_text() == "saved"


def test_logs_are_followed_until_the_cell_is_interrupted(kernel: Kernel) -> None:
    kernel.run("%mlox init churn\n%mlox up redis")
    stack = "[u.stack for u in machine.observe()][0]"
    kernel.run(
        "import threading, time\n"
        f"def speak(stack):\n    time.sleep(0.5)\n    machine.say(stack, 'redis', 'server', 'hello')\n"
        f"threading.Thread(target=speak, args=({stack},)).start()"
    )
    request = kernel.begin("%mlox logs redis --follow")
    kernel.end(request, until=lambda ran: "hello" in ran.printed)
    kernel.manager.interrupt_kernel()
    assert kernel.end(request).error is None
    assert kernel.run("%mlox logs redis --follow").lines[1] == "hint: Leave --follow out."


def test_a_question_is_put_to_a_person(kernel: Kernel) -> None:
    kernel.run("%mlox init churn\n%mlox up redis")
    refused = kernel.run("%mlox down redis --purge", ["no"])
    assert refused.lines[0] == "error: nothing was done"
    assert kernel.run("%mlox status").text.startswith("redis  running")
    assert kernel.run("%mlox down redis --purge", ["churn"]).error is None
    assert kernel.run("%mlox status").text.startswith("redis  absent")


@pytest.mark.parametrize(
    ("source", "problem", "hint"),
    [
        ("%mlox down redis --purge", "There is nobody to ask here.", "Add -y if you are sure."),
        ("%mlox secrets set TOKEN", "there is nobody to ask for TOKEN here", "--generate 32"),
        ("%mlox secrets remove KEPT", "There is nobody to ask here.", "Add -y if you are sure."),
        ("%mlox secrets set TOKEN hunter22", "nothing was kept", "%mlox secrets set TOKEN"),
        ("%mlox secrets get KEPT --reveal", "secrets are not shown in a notebook", "mlox.secrets.get"),
        ("%mlox env redis --reveal", "secrets are not shown here", ""),
    ],
)
def test_what_needs_a_person_fails_at_once_where_nobody_is_there(
    kernel: Kernel, source: str, problem: str, hint: str
) -> None:
    kernel.run("%mlox init churn\n%mlox up redis\n%mlox secrets set KEPT --generate 20")
    ran = kernel.run(source)
    assert problem in ran.lines[0]
    assert hint in ran.lines[1]


def test_a_secret_is_asked_for_without_an_echo_and_never_displayed(kernel: Kernel) -> None:
    kernel.run("%mlox init churn")
    ran = kernel.run("%mlox secrets set TOKEN", ["hunter22-and-more"])
    assert ran.text == "TOKEN set, readable by: you"
    shown = kernel.run('import mlox\ntoken = mlox.secrets.get("TOKEN")\nprint(token, [token])\ntoken', PERSON)
    assert shown.texts == ["Secret('***')"]
    assert kernel.run('token.reveal() == "hunter22-and-more"').text == "True"
    for outcome in (ran, shown):
        assert "hunter22" not in repr(outcome)


def test_behind_an_exclamation_mark_a_prompt_is_refused(kernel: Kernel) -> None:
    kernel.run("%mlox init churn")
    ran = kernel.run(f"!{sys.executable} -m mlox secrets set TOKEN", PERSON)
    assert "hint: Use the magic: %mlox secrets set TOKEN." in ran.printed
    empty = kernel.run(
        "import subprocess, sys\n"
        "command = [sys.executable, '-m', 'mlox', 'secrets', 'set', 'TOKEN']\n"
        "done = subprocess.run(command, capture_output=True, text=True)\n"
        "print(done.returncode, done.stderr)"
    )
    assert empty.printed.split()[0] in ("1", "2")
    assert "error: " in empty.printed


def test_use_names_what_it_sets_and_binds_the_client(kernel: Kernel) -> None:
    kernel.run("%mlox init churn\n%mlox up mlflow")
    expected = "set in this kernel: MLFLOW_TRACKING_URI, MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD (hidden)"
    assert kernel.run("tracking = %mlox use mlflow").texts == [expected]
    bare = kernel.run("%mlox use mlflow")
    assert (bare.texts, bare.printed) == ([expected], "")
    assert kernel.run("type(tracking).__name__, type(_).__name__").text == "('MlflowClient', 'MlflowClient')"
    assert "MlflowClient" in kernel.run("tracking").text
    assert kernel.run("%mlox use --off").text.startswith("taken out of this kernel: MLFLOW_TRACKING_URI")


def test_run_shows_what_the_command_writes_and_fails_with_it(kernel: Kernel) -> None:
    kernel.run("%mlox init churn\n%mlox up redis")
    told = kernel.run(f"%mlox run redis -- {sys.executable} -c 'print(6 * 7)'")
    assert (told.printed, told.displays, told.error) == ("42\n", [], None)
    assert kernel.run("told = %mlox logs redis\ntold.to_json()").text == "{'logs': {'redis': []}}"
    failed = kernel.run(f"%mlox run redis -- {sys.executable} -c 'raise SystemExit(7)'")
    assert failed.lines[0] == "error: run ended with exit code 7"


def test_what_differs_fails_where_that_was_asked_for(kernel: Kernel) -> None:
    kernel.run("%mlox init churn\n%mlox add redis")
    ran = kernel.run("%mlox status --exit-code")
    assert ran.texts[0].startswith("redis  absent")
    assert ran.lines[0] == "error: status ended with exit code 4"


def test_a_name_finds_its_service_again_in_another_kernel(kernel: Kernel) -> None:
    kernel.run("%mlox init churn\n%mlox up redis")
    ran = kernel.run("%reset -f\nimport mlox\nmlox.get('redis').status().status")
    assert ran.text == "'running'"
