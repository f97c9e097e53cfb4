"""A hundred secrets, shown in every way by a real notebook, are in no place; planted in the same, all are found."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import sqlite3
import string
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from mlox.matching import Matcher
from mlox.scanning.repository import Repository
from mlox.secret import MASK
from tests.git_stage import git
from tests.jupyter.cells import Kernel
from tests.live.support import Project

HOW_MANY = 100
KINDS = (
    string.ascii_letters + string.digits,
    string.ascii_letters + "/+=@:?&%-_",
    string.ascii_letters + "\"'\\<>&$!#`",
    string.ascii_letters + "äöüßéñ",
    string.ascii_letters + string.digits,
)

SET = "import json, sys, mlox\nfor name, value in json.load(sys.stdin).items(): mlox.secrets.set(name, value)"
# nbclient's Output widget sends on the socket on which nbclient waits for a cell's reply, past asyncio (Session.send of
# jupyter_client takes the plain socket): what came just before is not noticed then until the wait ends. So it is short.
RUN = """
import sys, nbformat, nbclient
from queue import Empty

class Client(nbclient.NotebookClient):
    async def async_start_new_kernel_client(self):
        client = await super().async_start_new_kernel_client()
        wait = client.shell_channel.get_msg
        async def get_msg(timeout=None):
            for _ in range(int(timeout)):
                try:
                    return await wait(timeout=1)
                except Empty:
                    pass
            raise Empty
        client.shell_channel.get_msg = get_msg
        return client

notebook = nbformat.read(sys.argv[1], 4)
Client(notebook, kernel_name="python3", timeout=300, allow_errors=True).execute()
nbformat.write(notebook, sys.argv[1])
"""
CELLS = (
    "%load_ext mlox_jupyter\n%config HistoryManager.db_log_output = True",
    "%mlox up redis",
    "import mlox\nvalues = {name: mlox.secrets.get(name).reveal() for name in mlox.secrets.names()}\nlen(values)",
    "for value in values.values(): print('token:', value)",
    "import sys\nfor value in values.values(): print(value, file=sys.stderr)",
    "for value in values.values():\n    for x in (value[:7], value[7:]): print(x, end='', flush=True)\n    print()",
    "values",
    "list(values.values())[:50]",
    (
        "from IPython.display import HTML, JSON, Markdown, display\nimport html\n"
        "for value in values.values():\n    display(HTML(f'<b>{html.escape(value)}</b>'), Markdown(value))\n"
        "    display(JSON({value: [value]}))"
    ),
    (
        "import base64, json, urllib.parse\nfor value in values.values():\n"
        "    print(base64.b64encode(b'ab' + value.encode()), urllib.parse.quote(value, safe=''), json.dumps([value]))"
    ),
    "import logging\nlogging.basicConfig(force=True)\nfor value in values.values(): logging.error('%r', value)",
    "raise ValueError(values)",
    "def deep(everything):\n    raise KeyError(json.dumps(everything))\n%xmode Verbose\ndeep(values)",
    (
        "import rich\nfrom rich.text import Text\nrich.print({'all': list(values.values())})\n"
        "for value in values.values(): rich.print(Text(value))"
    ),
    (
        "from rich.traceback import Traceback\ntry:\n    deep(list(values.values())[0])\nexcept KeyError:\n"
        "    rich.print(Traceback(show_locals=True, width=200))"
    ),
    "from tqdm import tqdm\nfor value in values.values():\n    for _ in tqdm(range(1), desc=value): pass",
    ("import ipywidgets\nboxes = [ipywidgets.Text(value=each) for each in values.values()]\nipywidgets.VBox(boxes)"),
    "out = ipywidgets.Output()\nwith out:\n    for value in values.values(): print(value)\nout",
    (
        "import subprocess, time\n"
        "for value in values.values(): subprocess.run(['cat'], input=value + '\\n', text=True)\n"
        "time.sleep(1)"
    ),
    "import os, time\nfor value in values.values(): os.write(1, value.encode() + b'\\n')\ntime.sleep(1)",
    (
        "from threading import Thread\nfor value in values.values():\n    t = Thread(target=print, args=(value,))\n"
        "    t.start()\n    t.join()"
    ),
    "%mlox secrets list\n%mlox status\n%mlox env redis\n%mlox logs redis",
    "%mlox secrets get CANARY_00 --reveal",
    "get_ipython().history_manager.writeout_cache()",
)


def canaries() -> dict[str, str]:
    """A hundred values of several kinds, one of them in two lines; the same on every run."""
    dice = random.Random(3)  # noqa: S311 - the same on every run is what is wanted here
    made = {}
    for number in range(HOW_MANY):
        value = "".join(dice.choices(KINDS[number % len(KINDS)], k=28))
        made[f"CANARY_{number:02d}"] = f"{value}\n{value[::-1]}" if number % len(KINDS) == 4 else value
    return made


class Watch(threading.Thread):
    """Looks at the command lines and environments of all processes, again and again."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(daemon=True)
        self.values = values
        self.seen: set[str] = set()
        self.rounds = 0
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.2):
            self.rounds += 1
            for process in psutil.process_iter():
                with contextlib.suppress(psutil.Error, OSError):
                    told = "\0".join([*process.cmdline(), *process.environ().values()])
                    self.seen |= {name for name, value in self.values.items() if value in told}


@contextlib.contextmanager
def watched(values: dict[str, str]) -> Iterator[Watch]:
    watch = Watch(values)
    watch.start()
    try:
        yield watch
    finally:
        watch.ended.set()
        watch.join()


def named(content: bytes, values: dict[str, str]) -> set[str]:
    """Whose values stand in a content, however they are written."""
    text = content.decode("latin-1")
    if not Matcher.of(values.values()).in_latin_1.places(text):
        return set()
    return {name for name, value in values.items() if Matcher.of([value]).in_latin_1.places(text)}


@pytest.fixture
def canary(shop: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Project, dict[str, str]]:
    """A workspace with a hundred secrets."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not on the PATH: tests/live/install installs it")
    for name in ("ipython", "temporary"):
        (tmp_path / name).mkdir()
    shop.environment |= {"IPYTHONDIR": str(tmp_path / "ipython"), "TMPDIR": str(tmp_path / "temporary")}
    monkeypatch.chdir(shop.folder)
    values = canaries()
    said = shop.run(sys.executable, "-c", SET, stdin=json.dumps(values))
    assert said.code == 0, said.err
    return shop, values


def test_shown_in_every_way_none_is_in_any_place(canary: tuple[Project, dict[str, str]], tmp_path: Path) -> None:
    shop, values = canary
    notebook = shop.folder / "canary.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in CELLS]), notebook)
    with watched(values) as watch:
        # Where it finds pytest, a kernel leaves the output of subprocesses alone, as no user's does.
        said = shop.run("env", "-u", "PYTEST_CURRENT_TEST", sys.executable, "-c", RUN, str(notebook))
        messages = sent_by_a_kernel(shop)
    assert said.code == 0, said.err
    ran = nbformat.read(notebook, 4)
    assert [cell.source for cell in ran.cells if cell.execution_count is None] == []
    assert ran.cells[2].outputs[0].data["text/plain"] == str(HOW_MANY + 1)  # with the password of redis
    assert sum(str(cell.outputs).count(MASK) for cell in ran.cells) > 15 * HOW_MANY
    assert ran.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    git("init")
    git("add", ".")
    git("commit", "-m", "all of it")

    everything = {**values, "redis.password": shop.password("redis")}
    places = {"the runner's output": said.out.encode(), "its errors": said.err.encode(), "messages": messages}
    for top in (shop.folder, shop.data, tmp_path / "ipython", tmp_path / "temporary", Path(os.environ["HOME"])):
        places |= {str(path): path.read_bytes() for path in top.rglob("*") if path.is_file()}
    places |= {f"git {blob.path}": blob.content for blob in Repository(shop.folder).history()}
    assert {"history.sqlite", "canary.ipynb"} <= {Path(place).name for place in places}
    found = {place: names for place, content in places.items() if (names := named(content, everything))}
    kept = {place for place, names in found.items() if names == {"redis.password"} and _for_its_owner(Path(place))}
    assert {place: names for place, names in found.items() if place not in kept} == {}
    assert watch.rounds > 10
    assert watch.seen == set()
    assert shop.json("secrets", "scan")["findings"] == []
    print(
        f"{HOW_MANY} secrets, {len(CELLS)} cells, {len(places)} places, {watch.rounds} looks at all processes: 0 found"
    )


def sent_by_a_kernel(shop: Project) -> bytes:
    """All that the same cells send from a kernel with a history: runners have theirs in memory."""
    kernel = Kernel(shop.folder, MLOX_DATA_HOME=str(shop.home), **shop.environment)
    try:
        return repr([kernel.run(source).messages for source in CELLS]).encode()
    finally:
        kernel.close()


def _for_its_owner(path: Path) -> bool:
    """A file of the service itself, which others cannot read."""
    return path.is_file() and path.stat().st_mode & 0o077 == 0


def planted(values: dict[str, str], folder: Path) -> dict[str, Path]:
    """Files that hold all values, by what they stand for."""
    result = {name: folder / f"{name}.ipynb" for name in ("sources", "outputs", "errors", "widget state")}
    cells: dict[str, list] = {name: [] for name in result}
    state = {}
    for name, value in values.items():
        cells["sources"].append(new_code_cell(f"token = {value!r}"))
        shown = new_output("execute_result", {"text/plain": repr(value)}, execution_count=1)
        cells["outputs"].append(new_code_cell("token", outputs=[shown]))
        error = new_output("error", ename="E", evalue=value, traceback=[f"\x1b[31m{value}\x1b[0m"])
        cells["errors"].append(new_code_cell("1/0", outputs=[error]))
        state[name] = {"model_name": "TextModel", "model_module": "x", "state": {"value": value}}
    widgets = {"application/vnd.jupyter.widget-state+json": {"state": state, "version_major": 2, "version_minor": 0}}
    for name, path in result.items():
        nbformat.write(
            new_notebook(cells=cells[name], metadata={"widgets": widgets} if name == "widget state" else {}), path
        )
    for name, form in (("logs", "login with {}\n"), ("journal", '{{"content": {}}}\n'), ("settings", "KEY={}\n")):
        result[name] = folder / f"{name}.txt"
        result[name].write_text(
            "".join(form.format(json.dumps(v) if name == "journal" else v) for v in values.values())
        )
    result["history"] = folder / "history.sqlite"
    with contextlib.closing(sqlite3.connect(result["history"])) as database, database:
        database.execute("CREATE TABLE history (source text)")
        database.executemany("INSERT INTO history VALUES (?)", [(value,) for value in values.values()])
    return result


def test_planted_in_the_same_places_all_are_found(canary: tuple[Project, dict[str, str]]) -> None:
    shop, values = canary
    places = planted(values, shop.folder)
    variables = {name: value for name, value in values.items() if "\0" not in value}
    with subprocess.Popen(["sleep", "100"], env={**os.environ, **variables}) as given:
        with subprocess.Popen([sys.executable, "-c", "input()", *values.values()], stdin=subprocess.PIPE) as listed:
            try:
                places |= {
                    "environment": Path(f"/proc/{given.pid}/environ"),
                    "command": Path(f"/proc/{listed.pid}/cmdline"),
                }
                for place, path in places.items():
                    assert _scanned(shop, str(path), "--no-history") == set(values), place
            finally:
                given.kill()
                listed.kill()
    git("init")
    git("add", ".")
    git("commit", "-m", "all of it")
    git("rm", "--quiet", *(path.name for path in places.values() if path.parent == shop.folder))
    git("commit", "-m", "too late")
    said = shop.mlox("secrets", "scan", "--json")
    assert said.code == 4
    in_history = {(f["file"], f["name"]) for f in said.json()["findings"] if f["commit"]}
    files = {path.name for path in places.values() if path.parent == shop.folder}
    assert in_history == {(file, name) for file in files for name in values}
    assert not named(said.out.encode(), values)
    print(f"{HOW_MANY} secrets in {len(places)} places and {len(files)} files of the history: all found")


def _scanned(shop: Project, *words: str) -> set[str]:
    """The names of the secrets that a scan finds."""
    said = shop.mlox("secrets", "scan", *words, "--json")
    assert said.code == 4, said
    return {finding["name"] for finding in said.json()["findings"] if finding["kind"] == "secret"}
