"""No known value leaves a real kernel, by whatever way a cell shows it; all else leaves it as it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

import mlox
from mlox.secret import MASK
from tests.jupyter.cells import CELL_S, ROOT, Kernel

pytestmark = pytest.mark.slow

VALUE = "hunter22-and/more+even"
MADE = f"import mlox\nvalue = mlox.Secret({VALUE!r}).reveal()\n"

CHANNELS = {
    "print": "print('token:', value)",
    "standard error": "import sys; print(value, file=sys.stderr)",
    "a value": "value",
    "a dict with it as a key": "{value: [value]}",
    "a display": "from IPython.display import display\ndisplay(value)",
    "HTML": "from IPython.display import HTML\nHTML(f'<b>{value}</b>')",
    "JSON": "from IPython.display import JSON\nJSON({value: [value, {'deep': value}]})",
    "an update": "from IPython.display import display\nshown = display(1, display_id=True)\nshown.update(value)",
    "metadata": "from IPython.display import display\ndisplay({'text/plain': '1'}, raw=True, metadata={'note': value})",
    "an error": "raise ValueError(value)",
    "a chain of errors": "try:\n    raise KeyError(value)\nexcept KeyError as e:\n    raise ValueError(1) from e",
    "verbose tracebacks": "%xmode Verbose\ndef f(text):\n    raise ValueError\nf(value)",
    "a syntax error": "exec(value + ' (')",
    "a shell": "!echo {value}",
    "a shell's result": "told = !echo {value}\ntold",
    "a subprocess": "import subprocess, time\nsubprocess.run(['echo', value])\ntime.sleep(0.5)",
    "a file descriptor": "import os, time\nos.write(1, value.encode())\ntime.sleep(0.5)",
    "an environment": "%env TOKEN={value}\n%env TOKEN",
    "the whole environment": "import os\nos.environ['PLACE'] = value\n%env",
    "a log": "import logging\nlogging.basicConfig(force=True)\nlogging.warning('token %s', value)",
    "a warning": "import warnings\nwarnings.warn(value)",
    "a thread": "import threading\nt = threading.Thread(target=print, args=(value,))\nt.start()\nt.join()",
    "a fork": "import os\nif not os.fork():\n    print(value, flush=True)\n    os._exit(0)\nos.wait()",
    "parts": "for c in value: print(c, end='', flush=True)",
    "parts with pauses": "import time\nfor c in (value[:9], value[9:]): print(c, end='', flush=True); time.sleep(0.3)",
    "base64": "import base64\nprint(base64.b64encode(b'ab' + value.encode()))",
    "a URL": "from urllib.parse import quote\nprint('redis://:' + quote(value, safe='') + '@127.0.0.1')",
    "rich": "import rich\nrich.print({'token': value, 'n': 1})",
    "rich in colours": (
        "from rich.console import Console\nConsole(force_terminal=True, force_jupyter=False).print([value])"
    ),
    "a traceback of rich": (
        "from rich.traceback import Traceback\nimport rich\ndef f(text):\n    raise ValueError(text)\n"
        "try:\n    f(value)\nexcept ValueError:\n    rich.print(Traceback(show_locals=True, width=200))"
    ),
    "tqdm": "from tqdm import tqdm\nfor _ in tqdm(range(2), desc=value): pass",
    "tqdm with widgets": "from tqdm.notebook import tqdm\nfor _ in tqdm(range(2), desc=value): pass",
    "a widget": "import ipywidgets\nipywidgets.Text(value=value, description='token')",
    "a widget that changes": "import ipywidgets\nw = ipywidgets.Label()\nw.value = value",
    "an output widget": "import ipywidgets\no = ipywidgets.Output()\nwith o: print(value)\no",
    "a message of a widget": "import ipywidgets\nipywidgets.Label().send({'text': value}, [value.encode()])",
    "a page": "get_ipython().payload_manager.write_payload({'source': 'page', 'data': {'text/plain': value}})",
    "a source": "def f():\n    return 'hunter22-and/more+even'\nimport inspect; print(inspect.getsource(f))",
}


def left(kernel: Kernel, source: str) -> tuple[int, str]:
    """Everything that leaves the kernel for a cell, in JSON without escapes: how many messages show it, and all."""
    request = kernel.begin(source)
    ran = kernel.end(request)
    reply = reply_to(kernel, request)
    buffers = [bytes(buffer) for message in ran.messages for buffer in message.pop("buffers")]
    showing = [message for message in ran.messages if message["msg_type"] not in ("status", "execute_input")]
    told = json.dumps([*ran.messages, reply], ensure_ascii=False, default=str) + repr(buffers)
    return len(showing) + len(reply.get("payload", ())), told


def reply_to(kernel: Kernel, request: str) -> dict[str, Any]:
    """The content of the kernel's reply to a request."""
    while True:
        message = kernel.client.get_shell_msg(timeout=CELL_S)
        if message["parent_header"].get("msg_id") == request:
            content: dict[str, Any] = message["content"]
            return content


@pytest.mark.parametrize("source", CHANNELS.values(), ids=CHANNELS)
def test_no_way_to_show_a_value_shows_it(kernel: Kernel, source: str) -> None:
    kernel.run(MADE)
    shown, told = left(kernel, source)
    kernel.run("%xmode Context")
    assert "hunter22" not in told
    assert "and/more" not in told
    assert MASK in told
    assert shown, told


def test_the_same_without_the_guard_shows_it(kernel: Kernel) -> None:
    kernel.run(MADE)
    kernel.run("%unload_ext mlox_jupyter")
    assert kernel.run("print(value)").printed == f"{VALUE}\n"
    kernel.run("%load_ext mlox_jupyter")
    assert kernel.run("print(value)").printed == f"{MASK}\n"
    assert kernel.run("%load_ext mlox\nprint(value)").printed == f"{MASK}\n"


def test_replies_show_no_value(kernel: Kernel) -> None:
    kernel.run(MADE + "names = {value: 1}")
    client = kernel.client
    for request in (
        client.inspect("value", 5),
        client.complete("names['", 7),
        client.execute("", user_expressions={"x": "value"}),
        client.history(hist_access_type="range", raw=True, output=True, session=0, start=0),
    ):
        reply = reply_to(kernel, request)
        assert "hunter22" not in json.dumps(reply, default=str)
        assert reply["status"] == "ok"


def test_a_question_shows_no_value(kernel: Kernel) -> None:
    kernel.run(MADE)
    request = kernel.client.execute("print('before', end='h')\ninput(f'is it {value}? ')", allow_stdin=True)
    asked = kernel.client.get_stdin_msg(timeout=CELL_S)
    kernel.client.input("yes")
    assert asked["content"]["prompt"] == f"is it {MASK}? "
    assert kernel.end(request).printed == "beforeh"


def test_what_is_no_value_is_as_it_was(kernel: Kernel) -> None:
    kernel.run(MADE)
    text = "héllo \u2028 \x1b[31mred\x1b[0m hunter2 and/more h"
    assert kernel.run(f"print({text!r}, end='')").printed == text
    kernel.run(f"from IPython.display import display\nbundle = {{'text/plain': {text!r}, 'image/png': 'iVBORw0KGgo='}}")
    assert kernel.run("display(bundle, raw=True, metadata={'a': [1, 2.5, None, True]})").displays == [
        {"text/plain": text, "image/png": "iVBORw0KGgo="}
    ]


def test_outputs_stay_in_their_order(kernel: Kernel) -> None:
    kernel.run(MADE)
    ran = kernel.run(
        "from IPython.display import display\nprint('begins with hunter', end='')\ndisplay(1)\nprint('22')"
    )
    told = [m["content"].get("text") or m["content"].get("data") for m in ran.messages if m["msg_type"] != "status"]
    assert told[1:] == ["begins with ", "hunter", {"text/plain": "1"}, "22\n"]


def test_two_streams_are_held_back_apart(kernel: Kernel) -> None:
    kernel.run(MADE)
    ran = kernel.run(
        "import sys\nprint(value[:8], end='', flush=True)\nprint('meanwhile', file=sys.stderr, flush=True)\n"
        "print(value[8:], flush=True)"
    )
    assert ran.printed == f"meanwhile\n{MASK}\n"


def test_the_end_that_a_thread_writes_after_its_cell_comes_too(kernel: Kernel) -> None:
    kernel.run(MADE)
    request = kernel.begin(
        "import threading, time\ndef late():\n    time.sleep(0.5)\n    print('late h', end='', flush=True)\n"
        "threading.Thread(target=late).start()"
    )
    kernel.end(request)
    printed = ""
    deadline = time.monotonic() + CELL_S
    while printed != "late h" and time.monotonic() < deadline:
        message = kernel.client.get_iopub_msg(timeout=CELL_S)
        printed += message["content"].get("text", "")
    assert printed == "late h"


def test_a_word_of_the_protocol_may_be_a_value(kernel: Kernel) -> None:
    ran = kernel.run(
        "import mlox, sys\nmlox.Secret('stdout'), mlox.Secret('execute_result')\nprint(sys.stdout.name)\n1"
    )
    assert (ran.printed, ran.texts) == (f"{MASK}\n", ["1"])


def test_values_of_the_store_are_known_when_a_cell_begins(kernel: Kernel, isolated: Path) -> None:
    kernel.run("%mlox init churn")
    command = [sys.executable, "-m", "mlox", "-C", str(isolated), "secrets", "set", "TOKEN"]
    subprocess.run(command, input="kept-by-another-process", text=True, check=True, env={**_environment(kernel)})
    assert kernel.run("print('kept-by-' + 'another-process')").printed == f"{MASK}\n"
    assert kernel.run("%reload_ext mlox_jupyter\nprint('kept-by-' + 'another-process')").printed == f"{MASK}\n"


def test_values_of_every_store_are_known(kernel: Kernel, isolated: Path) -> None:
    kernel.run("%mlox init churn\nimport mlox, os, time")
    (isolated / ".env").write_text("MLOX_SECRET_FILED=kept-in-a-file\nFILED=kept-in-a-file\n")
    kernel.run("os.environ['MLOX_SECRET_SET'] = 'kept-in-the-environment'")
    kernel.run("%mlox secrets set GENERATED --generate 24 -y")
    ran = kernel.run("print('kept-in-' + 'a-file', 'kept-in-' + 'the-environment')")
    assert ran.printed == f"{MASK} {MASK}\n"
    kernel.run("os.environ['MLOX_SECRET_SET'] = 'kept-in-it-later'")
    assert kernel.run("print('kept-in-' + 'it-later')").printed == f"{MASK}\n"
    time.sleep(0.1)
    (isolated / ".env").write_text("FILED=changed-in-the-file\nDB_USER=mlflow\nPORT=15432\n")
    assert kernel.run("print('changed-in-' + 'the-file')").printed == f"{MASK}\n"
    assert kernel.run("print('mlflow', 15432)").printed == "mlflow 15432\n"


def test_a_store_that_fails_is_no_reason_not_to_know_the_others(kernel: Kernel, isolated: Path) -> None:
    kernel.run("%mlox init churn")
    (isolated / ".env").write_bytes(b"A=\xff\n")
    kernel.run("import os\nos.environ['MLOX_SECRET_SET'] = 'kept-in-the-environment'")
    assert kernel.run("print('kept-in-' + 'the-environment')").printed == f"{MASK}\n"


def _environment(kernel: Kernel) -> dict[str, str]:
    """What the kernel has around it."""
    told = kernel.run(
        "import json, os\nprint(json.dumps({k: os.environ[k] for k in ('HOME', 'MLOX_DATA_HOME', 'PATH')}))"
    )
    return {**json.loads(told.printed), "PYTHONPATH": str(ROOT)}


def test_a_broken_workspace_is_no_reason_for_an_error_of_its_own(kernel: Kernel, isolated: Path) -> None:
    (isolated / "mlox.yaml").write_text("name: [")
    assert kernel.run(MADE + "print(value)").printed == f"{MASK}\n"


def test_the_history_names_no_value(kernel: Kernel) -> None:
    kernel.run("%config HistoryManager.db_log_output = True")
    kernel.run("'typed-before-it-is-' + 'known'\n'typed-before-it-is-known'")
    kernel.run("import mlox\nmlox.Secret('typed-before-it-is-known')")
    kernel.run("'typed-before-it-is-known'")
    kernel.run("%mlox secrets set TOKEN typed-and-refused")
    kernel.run("get_ipython().history_manager.writeout_cache()")
    file = Path(kernel.run("print(get_ipython().history_manager.hist_file)").printed.strip())
    written = b"".join(path.read_bytes() for path in file.parent.glob("history.sqlite*"))
    assert b"mlox.Secret('***')" in written
    assert b"typed-before-it-is-known" not in written
    assert b"typed-and-refused" not in written


ECHOED = """
import os, subprocess, sys, time
{begin}
subprocess.run(["sh", "-c", "printf 'one hunter'; sleep 0.1; echo '22-and/more+even two'"])
print("not echoed, the notebook has it")
os.write(2, b"three hunter22-and/more+even\\xff hunt")
time.sleep(1)
{end}
"""


@pytest.mark.parametrize(
    ("begin", "end"), [("", ""), ("", "%unload_ext mlox_jupyter"), ("%unload_ext mlox_jupyter", "")]
)
def test_what_the_kernel_writes_to_its_own_log_shows_no_value(isolated: Path, begin: str, end: str) -> None:
    notebook = new_notebook(
        cells=[new_code_cell(f"%load_ext mlox_jupyter\n{MADE}"), new_code_cell(ECHOED.format(begin=begin, end=end))]
    )
    nbformat.write(notebook, isolated / "a.ipynb")
    code = "import nbformat, nbclient\nnbclient.NotebookClient(nbformat.read('a.ipynb', 4)).execute()"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, env=environment, timeout=CELL_S
    )
    shown = VALUE.encode() if begin else MASK.encode()
    assert b"one " + shown + b" two\n" in done.stdout
    assert b"three " + shown + b"\xff hunt" in done.stderr


def test_the_cell_of_the_quickstart_shows_no_token(isolated: Path) -> None:
    cells = (
        "%load_ext mlox_jupyter",
        "%mlox init churn",
        "%mlox secrets set DEMO_TOKEN --generate 24",
        'import mlox; print("token:", mlox.secrets.get("DEMO_TOKEN").reveal())',
    )
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(isolated)}}).execute()
    assert notebook.cells[-1].outputs == [{"output_type": "stream", "name": "stdout", "text": "token: ***\n"}]
    assert mlox.secrets.get("DEMO_TOKEN", path=isolated).reveal() not in nbformat.writes(notebook)


@pytest.mark.parametrize("kernel_too", [False, True])
def test_a_shell_without_the_seam_says_so_once(kernel_too: bool) -> None:
    code = "from IPython.core.interactiveshell import InteractiveShell as Shell\nshell = Shell.instance()\n"
    code += "shell.kernel = object()\n" if kernel_too else ""
    code += "for _ in range(2): shell.run_cell('%load_ext mlox_jupyter')"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, env=None, check=True
    )
    assert done.stderr.count("redaction off") == 1
