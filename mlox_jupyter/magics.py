"""What ``%mlox`` and ``%%mlox`` do: words in, a verb called, its value handed back."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from mlox.errors import Cancelled, CommandError, MloxError, UsageError
from mlox.values import Notice
from mlox.values.live import Live
from mlox.values.logs import Stream
from mlox.verbs.context import Context
from mlox.verbs.grammar import Call, Options, parse
from mlox.verbs.outermost import check_platform, keep_report
from mlox.verbs.panels import PanelAsked
from mlox.verbs.services import InUse
from mlox_jupyter.completion import Completion
from mlox_jupyter.displays import Displays, JsonObject
from mlox_jupyter.inspection import Inspection
from mlox_jupyter.kernel import ask_secret, in_kernel, in_terminal, somebody_there
from mlox_jupyter.live import follow, show_live
from mlox_jupyter.loaded import Loaded, note_on
from mlox_jupyter.notices import AlertNotices
from mlox_jupyter.panels import close_all, open_panel
from mlox_jupyter.progress import LiveLines, PlainLines, Progress, Silence
from mlox_jupyter.redaction import Redaction
from mlox_jupyter.words import with_magics

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from mlox.verbs.body import Body
    from mlox.verbs.table import Verb

WITH_A_BODY = ("plan", "up", "check")
"""The verbs that take a YAML stack; without a verb a cell is planned, which touches nothing."""

CHANGES_CODE = ("add", "update", "resolve", "undo", "remove")
"""The verbs that write modules which this kernel may have imported."""


@magics_class
class MloxMagics(Magics):
    """The magics, and the displays that belong to them."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.displays = Displays(shell)
        self.completion = Completion(shell)
        self.inspection = Inspection(shell)
        self.redaction = Redaction(shell)
        self.notices = AlertNotices(shell)

    # Without @output_can_be_silenced: from Python 3.12 on it fails on YAML that is no Python, after all is done.
    @no_var_expand
    @line_cell_magic
    def mlox(self, line: str = "", cell: str | None = None) -> object:
        """Deploy and use services: ``%mlox VERB ...``, or ``%%mlox up`` with a YAML stack below.

        ``%mlox`` alone lists the verbs, ``%mlox help VERB`` tells about one. What a verb finds or does is a value::

            tracking = %mlox use mlflow
            plan = %mlox plan

            %%mlox up
            services:
              mlflow:
                options: {workers: !py workers}
        """
        try:
            return self._run(line, cell)
        except MloxError as error:
            raise with_magics(error)  # noqa: B904 - it is the same error
        except KeyboardInterrupt:
            raise Cancelled("interrupted", hint="Run the same cell again to go on.") from None
        except SystemExit as error:
            if error.code in (None, 0):
                return None
            raise CommandError(f"a command ended with exit code {error.code}") from None
        except Exception as error:  # the outermost place: a defect of ours becomes a report and one clear error
            raise keep_report(error) from error

    def _run(self, line: str, cell: str | None) -> object:
        line, silenced = _without_semicolon(line)
        call = _parsed(_split(line), has_body=cell is not None)
        if call.verb is None or call.help:
            self.displays.show_help(call.help)
            return None
        check_platform()
        result = self._result(call, call.verb, cell)
        if silenced and result is not None:
            self.displays.silence(result)
        return result

    def _result(self, call: Call, verb: Verb, cell: str | None) -> object:
        """What the cell gets: the value, its JSON, or, where ``use`` hands something back, that."""
        shell, arguments = self.displays.shell, call.arguments or {}
        progress = _progress(shell, call.options)
        loaded = _loaded_code(call.options) if verb.name in CHANGES_CODE else None
        with _without_tqdm_warning() if verb.name == "use" else contextlib.nullcontext():
            value = verb.function(self._context(call.options, progress, cell), **arguments)
        if not arguments.get("detach"):
            progress.finish()
        if isinstance(value, Live):
            show_live(self.displays, value, as_json=call.options.json)
            return None
        if isinstance(value, PanelAsked):
            folder, profile = call.options.folder, call.options.profile
            return open_panel(value.panel, folder=folder, profile=profile, here=value.here)
        if isinstance(value, Stream):
            follow(shell, value, as_json=call.options.json)
            return None
        if loaded is not None and isinstance(value, Notice) and (note := note_on(loaded.stale(), shell)):
            value = replace(value, lines=(*value.lines, note))
        if value.exit_code and not value.waits:
            self.displays.show(value)
            raise CommandError(f"{verb.name} ended with exit code {value.exit_code}", hint=_why(verb, value.exit_code))
        if call.options.json:
            return JsonObject.of(value.to_json())
        if isinstance(value, InUse):
            if value.text():
                self.displays.show(value)
            self.displays.silence(value.handed_back)
            return value.handed_back
        if not value.text():
            self.displays.silence(value)
        return value

    def _context(self, options: Options, progress: Progress, cell: str | None) -> Context:
        shell = self.displays.shell
        somebody = somebody_there(shell)
        return Context(
            folder=options.folder,
            profile=options.profile or os.environ.get("MLOX_PROFILE") or None,
            yes=options.yes,
            dry_run=options.dry_run,
            front="notebook",
            emit=progress,
            show=self.displays.show,
            ask=input if somebody else None,
            read_secret=ask_secret if somebody else None,
            may_reveal=False,
            as_json=options.json,
            body=None if cell is None else _body(shell, cell),
        )


def _parsed(words: list[str], *, has_body: bool) -> Call:
    """The call; ``help VERB`` is one for help, and a cell without a verb is planned, which touches nothing."""
    call = parse(words)
    asked = call.arguments or {}
    if call.verb is not None and call.verb.name == "help" and not (asked.get("typed") or asked.get("completion")):
        return parse([*asked.get("words", ()), "--help"])
    if has_body and call.verb is None:
        return parse([*words, "plan"])
    if has_body and call.verb is not None and call.verb.name not in WITH_A_BODY:
        name = call.verb.name
        raise UsageError(f"{name} takes no YAML below it", hint=f"Write it with one percent sign: %mlox {name}.")
    return call


def _loaded_code(options: Options) -> Loaded:
    """What this kernel has imported from the workspace."""
    from mlox.workspace import Workspace

    return Loaded.below(Workspace.find(options.folder).root)


def _body(shell: InteractiveShell, cell: str) -> Body:
    from mlox.verbs.body import Body

    return Body(cell, variables=shell.user_ns)


def _progress(shell: InteractiveShell, options: Options) -> Progress:
    if options.quiet:
        return Silence()
    if in_kernel(shell) and somebody_there(shell):
        return LiveLines(shell)
    return PlainLines() if options.verbose or in_terminal(shell) else Silence()


@contextlib.contextmanager
def _without_tqdm_warning() -> Iterator[None]:
    """A client that imports tqdm is no reason to tell the reader that ipywidgets is not installed."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="IProgress not found")
        yield


def load(shell: InteractiveShell) -> None:
    """Register the magics, the displays, completion, help and redaction; a second time does nothing."""
    if _loaded(shell) is None:
        magics = MloxMagics(shell)
        shell.register_magics(magics)
        shell.input_transformers_cleanup.append(_with_one_percent)
        magics.displays.register()
        magics.completion.register()
        magics.inspection.register()
        magics.redaction.register()
        magics.notices.register()
        if not magics.redaction.on:
            print(
                "redaction off: no messages of a kernel pass here; what you reveal is shown as it is", file=sys.stderr
            )


def unload(shell: InteractiveShell) -> None:
    """Take all of it out again."""
    magics = _loaded(shell)
    if magics is not None:
        close_all()
        magics.notices.unregister()
        magics.redaction.unregister()
        magics.displays.unregister()
        magics.completion.unregister()
        magics.inspection.unregister()
        shell.input_transformers_cleanup.remove(_with_one_percent)
        for kind in ("line", "cell"):
            shell.magics_manager.magics[kind].pop("mlox", None)
        shell.magics_manager.registry.pop(MloxMagics.__name__, None)


def _loaded(shell: InteractiveShell) -> MloxMagics | None:
    owner = getattr(shell.magics_manager.magics["line"].get("mlox"), "__self__", None)
    return owner if isinstance(owner, MloxMagics) else None


def _with_one_percent(lines: list[str]) -> list[str]:
    """A cell ``%%mlox ...`` without a body means ``%mlox ...``; IPython's own error for it lets nbmake pass."""
    if lines and re.match(r"%%mlox\b", lines[0]) and not "".join(lines[1:]).strip():
        return [lines[0][1:], *lines[1:]]
    return lines


def _without_semicolon(line: str) -> tuple[str, bool]:
    """The line without the ``;`` that means: do not display the value."""
    stripped = line.rstrip()
    return (stripped[:-1], True) if stripped.endswith(";") else (line, False)


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        problem = f"{line.strip()}: {str(error).lower()}"
        raise UsageError(problem, hint="Close the quotation marks, or write a backslash before one.") from error


def _why(verb: Verb, code: int) -> str:
    asked = any(parameter.flag == "--exit-code" for parameter in verb.parameters)
    if code != 4 or not asked:
        return "Look at what it says above."
    what = "There is something to mend" if verb.name == "check" else "What runs differs from what is written"
    return f"{what}, and --exit-code makes that a failure."
