"""How mlox's objects are displayed: as text that is the same on every run, as HTML, as JSON for tools."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from mlox.errors import MloxError
from mlox.plan import Plan
from mlox.secret import MASK, Secret
from mlox.values import Deployed, Planned, ServiceRow, Status, Table, Value, shown
from mlox_jupyter.handles import facts_of
from mlox_jupyter.kernel import in_terminal, somebody_there
from mlox_jupyter.views import facts_view, view
from mlox_jupyter.words import in_a_cell

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from mlox.stack import Component, Service, Stack

JSON = "application/vnd.mlox+json"

Bundle = dict[str, Any]


class JsonObject(dict[str, Any]):
    """What ``--json`` hands back: a dict that is displayed as JSON.

    Example:
        >>> JsonObject.of({"actions": []})["actions"]
        []
    """

    @classmethod
    def of(cls, value: object) -> JsonObject:
        """``value`` as JSON would give it back."""
        return cls(json.loads(json.dumps(value, default=str)))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text("{...}" if cycle else json.dumps(self, indent=1))


class Displays:
    """What the extension registers with a shell's formatters, and takes out again."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self._quiet: object = None
        self._undo: list[Callable[[], object]] = []

    def register(self) -> None:
        """Show mlox's objects from now on."""
        formatters: Any = self.shell.display_formatter
        plain, bundles = formatters.formatters["text/plain"], formatters.mimebundle_formatter
        for kind in (Value, Plan, ServiceRow):
            self._for_type(bundles, kind, self._bundle)
        self._for_type(plain, Plan, self._pretty)
        self._for_type(plain, ServiceRow, self._pretty)
        self._for_type(plain, Secret, self._secret)
        self._for_type(formatters.ipython_display_formatter, Value, self._unless_quiet)
        # By name: the stack loads what needs sockets and processes, and this has to work where there are none.
        self._for_name(bundles, "mlox.stack.stack", "Stack", self._stack)
        self._for_name(bundles, "mlox.stack.service", "Service", self._handle)
        self._for_name(bundles, "mlox.stack.component", "Component", self._handle)
        self.shell.events.register("pre_run_cell", self._new_cell)
        self._undo.append(lambda: self.shell.events.unregister("pre_run_cell", self._new_cell))

    def unregister(self) -> None:
        """Show them as anything else."""
        while self._undo:
            self._undo.pop()()

    def silence(self, shown: object) -> None:
        """Leave out the display of ``shown`` where it is this cell's last value: it says nothing new."""
        formatter = cast("Any", self.shell.display_formatter).ipython_display_formatter
        self._quiet = shown
        if type(shown) not in formatter:
            self._for_type(formatter, type(shown), self._unless_quiet)

    def show(self, value: Value) -> None:
        """Display a value beside what the cell hands back."""
        self.publish(self.bundle(value))

    def show_help(self, text: str) -> None:
        """Display help, which is text and nothing else."""
        self.publish({"text/plain": in_a_cell(text)})

    def publish(self, bundle: Bundle) -> None:
        """Display data by MIME type."""
        self.shell.display_pub.publish(data=bundle, metadata={})

    def bundle(self, value: Value) -> Bundle:
        """The renderings of a value.

        Where nobody looks, the HTML too holds nothing that changes between runs, and there is no JSON, which does:
        nbval compares every rendering.
        """
        if in_terminal(self.shell):
            return {"text/plain": _text(value, detail=True)}
        text = _text(value, detail=False)
        if not somebody_there(self.shell):
            return {"text/plain": text, "text/html": view(value, detail=False)}
        return {"text/plain": text, "text/html": view(value, detail=True), JSON: JsonObject.of(value.to_json())}

    def _for_type(self, formatter: Any, kind: type, function: Callable[..., object]) -> None:
        formatter.for_type(kind, function)
        self._undo.append(lambda: formatter.pop(kind, None))

    def _for_name(self, formatter: Any, module: str, name: str, function: Callable[..., object]) -> None:
        formatter.for_type_by_name(module, name, function)
        self._undo.append(lambda: formatter.pop(f"{module}.{name}", None))

    def _new_cell(self, *_: object) -> None:
        self._quiet = None

    def _unless_quiet(self, shown: object) -> None:
        if shown is not self._quiet:
            raise NotImplementedError  # IPython's word for: display it as usual

    def _bundle(self, shown: Value | Plan | ServiceRow, include: object = None, exclude: object = None) -> Bundle:
        return self.bundle(_value(shown))

    def _pretty(self, shown: Plan | ServiceRow, printer: Any, cycle: bool) -> None:
        printer.text(_text(_value(shown), detail=in_terminal(self.shell)))

    def _secret(self, shown: Secret, printer: Any, cycle: bool) -> None:
        printer.text(f"Secret({MASK!r})")

    def _stack(self, stack: Stack, include: object = None, exclude: object = None) -> Bundle:
        try:
            written = _written(stack)
            if not self._looked_at():
                return {"text/plain": repr(stack), "text/html": view(written, detail=False)}
            html = view(replace(written, notes=()), detail=True, caption=f"Services of {stack.name}")
            return {"text/plain": repr(stack), "text/html": html}
        except MloxError as error:
            return {"text/plain": f"a stack whose mlox.yaml is wrong: {error.problem}"}

    def _handle(self, handle: Service | Component, include: object = None, exclude: object = None) -> Bundle:
        """Its text, which is the same on every run; where somebody looks, what is known of it right now."""
        facts = facts_of(handle) if self._looked_at() else None
        if facts is None:
            return {"text/plain": repr(handle)}
        return {"text/plain": repr(handle), "text/html": facts_view(facts, f"{type(handle).__name__} {handle.name}")}

    def _looked_at(self) -> bool:
        """Whether somebody looks at more than text."""
        return somebody_there(self.shell) and not in_terminal(self.shell)


def _value(shown: Value | Plan | ServiceRow) -> Value:
    """The value of a verb that says the same as ``shown``."""
    if isinstance(shown, Plan):
        return Planned(shown)
    return Status("", (shown,)) if isinstance(shown, ServiceRow) else shown


def _written(stack: Stack) -> Table:
    services = stack.spec().services
    rows = tuple((name, one.service, one.version or "", one.server) for name, one in services.items())
    heading = ("name", "service", "version", "server")
    return Table(heading, rows, {}, empty=f"{stack.name}: no services yet", notes=(stack.name,) if rows else ())


def _text(value: Value, *, detail: bool) -> str:
    text = shown(value, "notebook", detail=detail)
    return in_a_cell(text) if isinstance(value, (Status, Deployed, Planned)) else text
