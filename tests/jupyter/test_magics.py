"""What the magics make of words, YAML and values; in a shell without a kernel, on a machine that is a fake."""

from __future__ import annotations

from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

import mlox
from mlox.errors import UnknownNameError, UsageError
from mlox.testing import FakeBackend
from mlox.values import Deployed, Notice, Planned, Status
from tests.jupyter.cells import Run, run_in

MLFLOW = "services:\n  mlflow:\n"


@pytest.fixture
def churn(run: Run) -> Run:
    """In a workspace."""
    run("%mlox init churn")
    return run


# Loading


@pytest.mark.parametrize("name", ["mlox", "mlox_jupyter"])
def test_either_name_loads_the_magics_once_and_quietly(shell: InteractiveShell, name: str) -> None:
    for extension in (name, name, "mlox", "mlox_jupyter"):
        ran = run_in(shell, f"%load_ext {extension}")
        assert ran.error is None
        assert not ran.printed or "already loaded" in ran.printed
    assert run_in(shell, "%mlox init churn").text.startswith("churn: this folder is now a workspace")
    assert shell.input_transformers_cleanup.count(shell.input_transformers_cleanup[-1]) == 1


def test_unloading_takes_everything_out(run: Run, shell: InteractiveShell) -> None:
    assert run("%mlox init churn").text.startswith("churn")
    assert run("%unload_ext mlox_jupyter").error is None
    assert shell.find_line_magic("mlox") is None
    assert shell.find_cell_magic("mlox") is None
    assert run("import mlox\nmlox.Secret('hunter22', 'v1')").text == "Secret('***', version='v1')"
    assert run("%load_ext mlox_jupyter\n%mlox status").text.startswith("no services yet")


# Words


def test_a_value_is_handed_back(churn: Run) -> None:
    assert isinstance(churn("%mlox add mlflow").value, Notice)
    assert isinstance(churn("%mlox plan").value, Planned)
    assert isinstance(churn("%mlox up mlflow").value, Deployed)
    assert isinstance(churn("%mlox status").value, Status)
    assert churn("found = %mlox status\nfound.services[0].status").text == "'running'"


@pytest.mark.parametrize("silenced", ["%mlox status;", "%mlox status ; ", "%%mlox plan;\nservices: {mlflow: }"])
def test_a_semicolon_leaves_out_the_display_and_keeps_the_value(churn: Run, silenced: str) -> None:
    ran = churn(silenced)
    assert ran.error is None
    assert ran.displays == []
    assert ran.value is not None
    assert churn("found = %mlox status;\nfound.stack").text == "'churn'"


def test_a_body_that_is_no_python_is_no_trouble(churn: Run) -> None:
    """IPython's own way to silence a magic fails on it, from Python 3.12 on, after all is done."""
    assert (
        churn("%%mlox plan\n# it's YAML\nservices:\n  mlflow: 'mlflow\n\n    '").lines[0].startswith("error: cell:4: ")
    )
    assert churn("%%mlox plan\n# it's YAML\nservices:\n    mlflow:\n  # less\n    redis:").text


def test_python_variables_in_the_words_are_left_alone(churn: Run) -> None:
    churn("x = 'mlflow'")
    for word in ("{x}", "$x"):
        assert churn(f"%mlox up {word}").lines[0] == f"error: unknown service '{word}'"


def test_two_percent_signs_without_a_body_mean_one(churn: Run) -> None:
    assert churn("%%mlox status").text.startswith("no services yet")
    assert churn("%%mlox status\n\n").text.startswith("no services yet")
    assert churn("%%mlox\n \n").text.startswith("usage: ")


def test_options_work_as_in_the_shell(run: Run, tmp_path: Path) -> None:
    assert run(f"%mlox -C {tmp_path} init there").text.startswith("there")
    assert (tmp_path / "mlox.yaml").exists()
    status = run(f"%mlox --json -C {tmp_path} status").value
    assert isinstance(status, dict)
    assert (status["services"], status["components"], status["alerts"]["watcher"]) == ([], [], "none")
    assert run(f"%mlox add mlflow --dry-run -C {tmp_path}").text == "mlflow would be added to mlox.yaml"


def test_help_stands_in_the_docstring_too(run: Run, shell: InteractiveShell) -> None:
    del run
    found = shell.find_line_magic("mlox")
    assert "%%mlox up" in found.__doc__
    assert "%mlox help VERB" in shell.object_inspect_mime("%mlox")["text/plain"]


def test_up_ends_by_naming_the_next_step(churn: Run) -> None:
    assert churn("%mlox up mlflow").text.splitlines() == [
        "mlflow  running  local  3.17.2",
        "wrote: mlox.yaml (mlflow)",
        "next: tracking = %mlox use mlflow",
    ]
    assert churn("%mlox up mlflow").text.splitlines()[0] == "nothing to do"
    assert churn("%mlox down").text.splitlines()[1] == (
        "data kept; again: %mlox up    delete its data: %mlox down mlflow --purge"
    )


def test_what_is_told_about_a_service_speaks_of_the_magic_too(churn: Run, machine: FakeBackend) -> None:
    churn("%mlox up redis")
    assert churn("%mlox status").text.splitlines()[-1] == (
        "local = this machine only; services wait for `%mlox up` after a reboot"
    )
    machine.reboot()
    (bundle,) = churn("%mlox status").displays
    for rendering in bundle.values():
        assert "(after a reboot services wait for `%mlox up`)" in rendering
    churn("stack = __import__('mlox').Stack()\nstack.drop('redis')\n%mlox up mlflow")
    machine.say(machine.observe()[0].stack, "mlflow", "server", "run mlox up now")
    assert churn("%mlox logs mlflow").text == "run mlox up now"


# Displays


def test_an_object_within_a_list_keeps_a_text_that_stays(churn: Run) -> None:
    churn("%mlox up mlflow\nimport mlox\nstack = mlox.Stack()")
    told = churn(
        "[stack, stack.status(), stack.plan(), stack.service('mlflow'), stack.service('mlflow').status()]"
    ).text
    assert told.splitlines() == [
        "[Stack('churn'),",
        " <Status: mlflow  running  local  3.17.2>,",
        " nothing to do,",
        " Service('mlflow'),",
        " mlflow  running  local  3.17.2]",
    ]


def test_a_plan_and_a_row_look_like_the_verbs_that_tell_them(churn: Run) -> None:
    churn("%mlox add mlflow\nimport mlox\nstack = mlox.Stack()")
    assert churn("stack.plan()").text == churn("%mlox plan").text == "create  mlflow  local  3.17.2"
    assert churn("stack.service('mlflow').status()").text == "mlflow  absent  local  3.17.2"
    (bundle,) = churn("stack").displays
    assert bundle["text/plain"] == "Stack('churn')"
    assert '<th scope="row" style="text-align:left">mlflow</th>' in bundle["text/html"]


def test_html_escapes_what_it_is_given(churn: Run, machine: FakeBackend) -> None:
    churn("%mlox up redis")
    (unit,) = machine.observe()
    machine.say(unit.stack, "redis", "server", "<script>alert('x')</script> & more")
    (bundle,) = churn("%mlox logs redis").displays
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp; more" in bundle["text/html"]
    assert "<script" not in bundle["text/html"]
    assert bundle["text/plain"] == "<script>alert('x')</script> & more"


def test_a_secret_is_in_no_rendering(churn: Run) -> None:
    mlox.secrets  # noqa: B018 - the public namespace
    churn("%mlox up mlflow")
    store = mlox.Stack().surroundings().store
    password = store.get("mlflow.admin_password").reveal()
    for source in ("%mlox env mlflow", "%mlox status", "%mlox use mlflow", "%mlox open mlflow", "%mlox secrets list"):
        ran = churn(source)
        assert ran.error is None
        assert password not in repr(ran.displays) + ran.printed
    churn("%mlox use --off")


# A stack below the words


def test_a_stack_is_planned_without_a_trace_and_then_brought_up(run: Run, machine: FakeBackend, isolated: Path) -> None:
    body = "name: churn\nservices:\n  mlflow:\n    options: {workers: 2}\n  cache: redis\n"
    assert run(f"%%mlox plan\n{body}").text.splitlines() == [
        "create  mlflow  local  3.17.2",
        "create  cache   local  7.0.15",
    ]
    assert list(isolated.iterdir()) == []
    assert run(f"%%mlox\n{body}").text == run(f"%%mlox plan\n{body}").text
    told = run(f"%%mlox up\n{body}").text.splitlines()
    assert told[:3] == [
        "mlflow  running  local  3.17.2",
        "cache   running  local  7.0.15",
        "wrote: mlox.yaml (mlflow, cache)",
    ]
    assert mlox.Stack().spec().services["mlflow"].options == {"workers": 2}
    assert run(f"%%mlox up\n{body}").text.splitlines()[0] == "nothing to do"
    assert sorted(machine.effects) == ["job mlflow.server migrate-3-17-2", "start cache.server", "start mlflow.server"]


def test_a_stack_in_the_form_of_mlox_yaml_is_understood(churn: Run, isolated: Path) -> None:
    churn("%%mlox up\nservices:\n  mlflow: mlflow@3.17.0\n  tracking:\n    service: mlflow\n    ports: {http: 5123}")
    written = (isolated / "mlox.yaml").read_text("utf-8")
    spec = mlox.Stack().spec()
    assert (spec.services["mlflow"].version, spec.services["tracking"].ports) == ("3.17.0", {"http": 5123})
    again = churn(f"%%mlox up\n{written}")
    assert again.text.splitlines()[0] == "nothing to do"
    assert (isolated / "mlox.yaml").read_text("utf-8") == written


def test_what_differs_from_what_is_written_is_named(churn: Run) -> None:
    churn("%mlox up mlflow")
    for body, differs in (
        ("{options: {workers: 3}}", "workers is 1, not 3"),
        ("{version: '3.17.0'}", "version is 3.17.2, not 3.17.0"),
        ("{ports: {http: 5555}}", "port http is not chosen, not 5555"),
        ("{service: redis}", "'mlflow' is a mlflow already"),
    ):
        for verb in ("plan", "up"):
            assert differs in churn(f"%%mlox {verb}\nservices:\n  mlflow: {body}").lines[0]
    assert mlox.Stack().spec().services["mlflow"].options == {}


def test_variables_of_the_environment_are_read_as_compose_reads_them(
    churn: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKERS", "3")
    monkeypatch.setenv("EMPTY", "")
    churn(
        "%%mlox up\nservices:\n"
        "  mlflow:\n    options: {workers: $WORKERS, default_permission: '${NOWHERE:-${EMPTY:-EDIT}}'}\n"
        '  cache:\n    service: redis\n    options:\n      maxmemory_mb: "${WORKERS}00"\n'
    )
    services = mlox.Stack().spec().services
    assert services["mlflow"].options == {"workers": 3, "default_permission": "EDIT"}
    assert services["cache"].options == {"maxmemory_mb": 300}


def test_variables_of_the_notebook_keep_their_type(churn: Run) -> None:
    churn("workers, settings = 4, {'default_permission': '$EDIT'}")
    told = churn("%%mlox plan\nservices:\n  mlflow:\n    options: !py settings")
    assert told.lines[0] == "error: cell:4: mlflow: option 'default_permission' cannot be '$EDIT'"
    churn("%%mlox up\nservices:\n  mlflow:\n    options:\n      workers: !py workers")
    assert mlox.Stack().spec().services["mlflow"].options == {"workers": 4}


WRONG_BODIES = {
    "": "usage",
    "#": "the cell is empty",
    "- mlflow": "the cell holds a list, not a mapping",
    "services:": "cell:2: services: is empty, not a mapping",
    "services: {}": "cell:2: services: Dictionary should have at least 1 item",
    "services:\n  mlfow:": "cell:3: unknown service 'mlfow'",
    "services:\n  mlflow:\n    option: {workers: 2}": "cell:4: services.mlflow: unknown key 'option'",
    f"{MLFLOW}    options:\n      worker: 2": "cell:5: mlflow: unknown option 'worker'",
    f"{MLFLOW}    options:\n      workers: two": "cell:5: mlflow: option 'workers' takes a value of type integer",
    f"{MLFLOW}    options:\n      workers: ${{NOWHERE}}": "cell:5: NOWHERE is not set in the environment",
    f"{MLFLOW}    options:\n      workers: ${{NOWHERE:?say how many}}": "cell:5: NOWHERE: say how many",
    f"{MLFLOW}    options:\n      workers: ${{NOWHERE": "cell:5: a variable is not closed",
    f"{MLFLOW}    options:\n      workers: 2 $": "cell:5: a lone $ in '2 $'",
    f"{MLFLOW}    options:\n      workers: !py nothing": "cell:5: unknown variable 'nothing'",
    f"{MLFLOW}    options:\n      workers: !py isolated": "cell:5: unknown variable 'isolated'",
    f"{MLFLOW}    options:\n      workers: !py thing": "cell:5: !py thing is a object, not text, a number",
    f"{MLFLOW}    options:\n      workers: !secret TOKEN": "cell:5: !secret TOKEN: no service takes a secret",
    f"{MLFLOW}    options:\n      workers: !nope TOKEN": "cell:5: not valid YAML: could not determine a constructor",
    f"{MLFLOW}    needs: {{database: postgres}}": "mlflow.database: unknown service 'postgres'",
    f"{MLFLOW}    server: elsewhere": "unknown server 'elsewhere'",
    f"{MLFLOW}    version: 3.17": "cell:3: services.mlflow: write the version in quotes",
    f"name: other\n{MLFLOW}": "cell:2: ",
    f"id: churn-0000\n{MLFLOW}": "cell: the id is churn-0000",
    f"{MLFLOW}servers:\n  box: {{ssh: me@box}}": "cell:4: servers cannot be set from a cell",
    "services:\n  mlflow: [1, 2": "cell:4: not valid YAML",
    "services: &a\n  mlflow: *b": "cell:3: not valid YAML",
    "services:\n  Ml Flow: mlflow": "cell:3: services.Ml Flow: not a valid name",
}


@pytest.mark.parametrize("verb", ["plan", "up"])
@pytest.mark.parametrize("body", [body for body in WRONG_BODIES if body])
def test_what_is_wrong_in_a_stack_is_told_with_its_line(churn: Run, isolated: Path, body: str, verb: str) -> None:
    before = (isolated / "mlox.yaml").read_bytes()
    churn("thing = object()")
    ran = churn(f"%%mlox {verb}\n{body}\n")
    assert ran.lines[0].startswith("error: ")
    assert WRONG_BODIES[body] in ran.lines[0]
    assert (isolated / "mlox.yaml").read_bytes() == before


def test_services_stand_in_one_place_only(churn: Run) -> None:
    assert "the services stand in the cell" in churn(f"%%mlox up mlflow\n{MLFLOW}").lines[0]
    assert "the services stand in the cell" in churn(f"%%mlox up --set workers=2\n{MLFLOW}").lines[0]
    lines = churn(f"%%mlox status\n{MLFLOW}").lines
    assert lines == ["error: status takes no YAML below it", "hint: Write it with one percent sign: %mlox status."]


def test_an_error_can_be_caught_by_its_type(churn: Run) -> None:
    del churn
    caught = InteractiveShell.instance()
    for error, line in ((UnknownNameError, "up mlfow"), (UsageError, "up --nope")):
        with pytest.raises(error):
            caught.run_line_magic("mlox", line)
