"""The shell's front end: words in, a verb called, its value printed, an exit code out."""

from __future__ import annotations

import contextlib
import gc
import getpass
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path

from mlox import screen
from mlox.errors import Cancelled, MloxError, UsageError
from mlox.protocols import Emit, Event, silent
from mlox.secret import Secret
from mlox.values import Value, shown
from mlox.values.live import Live
from mlox.values.logs import Logs, Stream
from mlox.verbs.context import Context, not_shown
from mlox.verbs.grammar import Call, Options, Program, parse
from mlox.verbs.outermost import check_platform, keep_report

SHOWN_S = 0.1
"""How often the line of a terminal is drawn anew at most."""

RARELY = (200_000, 20, 100)
"""How often garbage is looked for: what a command loads and reads stays until it ends, and looking costs a tenth."""

DETACHED_S = 5.0
"""How long ``--detach`` waits at most until the deployment is at work; it may have to wait for another one."""


def mlx(argv: Sequence[str] | None = None) -> int:
    """Run ``mlx``: the verbs of components, under the same names."""
    return main(argv, program="mlx")


def main(argv: Sequence[str] | None = None, *, program: Program = "mlox") -> int:
    """Run ``mlox``; returns the exit code (see INTERFACE: 0, 1, 2, 3, 4, 130)."""
    gc.set_threshold(*RARELY)
    words = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in words[: words.index("--")] if "--" in words else "--json" in words
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal that cannot show → or the name of a folder
            stream.reconfigure(errors="backslashreplace")
    try:
        check_platform()
        return _run(parse(words, program), words)
    except MloxError as error:
        return _fail(error, as_json)
    except KeyboardInterrupt:
        with contextlib.suppress(KeyboardInterrupt):  # once more: then it is not waited for
            if deployments := sys.modules.get("mlox.stack.deployment"):
                deployments.cancel_all()
        return _fail(Cancelled("interrupted", hint="Run the same command again to go on."), as_json)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # the outermost place: a defect of ours becomes a report and one clear error
        return _fail(keep_report(error), as_json)


def _run(call: Call, words: list[str]) -> int:
    if call.verb is None or call.help:
        print(call.help)
        return 0
    context, arguments = _context(call.options), call.arguments or {}
    if arguments.get("detach") and not context.dry_run:
        call.verb.function(replace(context, dry_run=True), **arguments)  # what is wrong is told now, not in a file
        return _detach(words, call.options, context)
    value = call.verb.function(context, **arguments)
    if isinstance(value, Live):
        screen.show(value, sys.stdout, as_json=call.options.json)
    elif isinstance(value, Stream):
        screen.follow(value, sys.stdout, as_json=call.options.json)
    elif call.options.json:
        print(json.dumps(value.to_json(), default=str))
    elif isinstance(value, Logs):
        screen.print_logs(value, sys.stdout)
    else:
        _print(value)
    return value.exit_code


def _print(value: Value) -> None:
    text = shown(value, "shell", detail=True)
    if text:
        print(text)


def _context(options: Options) -> Context:
    in_notebook = "JPY_PARENT_PID" in os.environ
    somebody = sys.stdin is not None and sys.stdin.isatty() and not in_notebook
    return Context(
        folder=options.folder,
        profile=options.profile or os.environ.get("MLOX_PROFILE") or None,
        yes=options.yes,
        dry_run=options.dry_run,
        front="shell",
        emit=_emitter(options),
        show=not_shown if options.json else _show,
        ask=_ask if somebody else None,
        read_secret=_refuse_behind_bang if in_notebook else (_ask_secret if somebody else _read_secret),
        may_reveal=not in_notebook,
        as_json=options.json,
        interactive=somebody and sys.stdout.isatty() and not options.json,
    )


def _show(value: Value) -> None:
    """Beside the result, which alone goes to standard output."""
    print(shown(value, "shell", detail=True), file=sys.stderr)


def _ask(question: str) -> str:
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline()


def _ask_secret(name: str) -> Secret:
    try:
        return Secret(getpass.getpass(f"{name} (not shown): "))
    except EOFError:
        raise Cancelled("no value was given; nothing was kept", hint=f"Type it: mlox secrets set {name}.") from None


def _read_secret(name: str) -> Secret:
    try:
        return Secret(sys.stdin.read().removesuffix("\n") if sys.stdin is not None else "")
    except UnicodeDecodeError:
        pass  # raised below, outside this block: the caught error carries the value
    raise UsageError(
        f"the value for {name} is not text; nothing was kept", hint="Encode it first, for example with base64."
    )


def _refuse_behind_bang(name: str) -> Secret:
    raise UsageError(
        f"{name} cannot be asked for behind ! in a notebook", hint=f"Use the magic: %mlox secrets set {name}."
    )


def _emitter(options: Options) -> Emit:
    if options.quiet or options.json:
        return silent
    return _terminal_line() if sys.stderr.isatty() else _plain_lines


def _plain_lines(event: Event) -> None:
    print(f"{event.service}: {event.message}" if event.service else event.message, file=sys.stderr, flush=True)


def _terminal_line() -> Callable[[Event], None]:
    """One line a service that is finished, and one line that changes for what goes on."""

    def show(event: Event) -> None:
        text = f"{event.service}: {event.message}" if event.service else event.message
        width = max(os.get_terminal_size(sys.stderr.fileno()).columns - 1, 20)
        last = event.kind in ("done", "failed", "warning")
        print(f"\r\033[K{text[:width]}", end="\n" if last else "", file=sys.stderr, flush=True)

    return show


def _detach(words: list[str], options: Options, context: Context) -> int:
    """Start the same command in a session of its own, and come back as soon as it is at work."""
    folder = Path(tempfile.mkdtemp(prefix="mlox-up-"))
    command = [sys.executable, "-m", "mlox", *(word for word in words if word != "--detach")]
    with (folder / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    deadline = time.monotonic() + DETACHED_S
    while process.poll() is None and not context.stack().deploys(process.pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    if options.json:
        print(json.dumps({"detached": True, "output": str(folder / "output.txt")}))
    else:
        print(f"deploying in the background; see: mlox status    its output: {folder / 'output.txt'}")
    return 0


def _fail(error: MloxError, as_json: bool) -> int:
    if sys.stderr.isatty() and not as_json:
        print("\r\033[K", end="", file=sys.stderr)
    if as_json:
        print(json.dumps({"error": error.to_json()}), file=sys.stderr)
    else:
        print(f"error: {error.problem}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
    return error.exit_code
