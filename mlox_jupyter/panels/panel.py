"""What all panels are: one widget, a thread that looks, questions from the browser, one piece of work at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar, Self

import anywidget
import traitlets

from mlox.errors import MloxError, UsageError
from mlox_jupyter.panels.calling import Caller, answered
from mlox_jupyter.panels.docking import DOCK
from mlox_jupyter.panels.working import Work
from mlox_jupyter.words import in_a_cell

ASSETS = Path(__file__).parent / "assets"
SHARED = ("shared", "work", "docking", "view")
"""The files of the browser's part that all panels have, in their order."""

LOOK_S = 1.0
"""How long a panel rests between two looks, so that it shows within two seconds what others changed."""

OPEN: dict[str, Panel] = {}
"""The panel of each name that is open in this kernel."""

Answer = Callable[..., object]


class Panel(anywidget.AnyWidget):
    """A panel. What the browser shows is in synced traits, and nothing secret ever is.

    A subclass says what it looks at (:meth:`look`), and which questions of the browser it answers (:meth:`answers`).

    Attributes:
        name: as it is opened. ``parts``: the files of its browser's part, after what all share, the last one exports.
        as_text: the verb that tells the same as text.
        seen: what the last look found. ``work``: what is being done, and what was done last.
        docked: whether it is beside the notebook, as JupyterLab says.
    """

    name: ClassVar[str]
    parts: ClassVar[tuple[str, ...]] = ()
    as_text: ClassVar[str] = "status"
    seen = traitlets.Dict().tag(sync=True)
    work = traitlets.Dict().tag(sync=True)
    docked = traitlets.Bool(default_value=False).tag(sync=True)

    def __init__(self, caller: Caller, *, here: bool = False) -> None:
        self.caller = caller
        self._here = here
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._wanted = threading.Event()
        self._views: dict[str, bool] = {}
        self._worker = ThreadPoolExecutor(1, thread_name_prefix=f"mlox-panel-{self.name}")
        self._work: Work | None = None
        super().__init__()
        self.on_msg(self._asked)
        self.refresh()
        threading.Thread(target=self._looking, name=f"mlox-panel-{self.name}-looks", daemon=True).start()

    def __init_subclass__(cls, **options: Any) -> None:
        """Put the browser's part together: what all panels share, then its own; without a build step or an import."""
        if "parts" in vars(cls):  # of each panel itself: anywidget makes a class of it for its own traits
            cls._esm = joined("js", *SHARED, *cls.parts)
            cls._css = joined("css", "panels", "forms", "differences")
        super().__init_subclass__(**options)

    @classmethod
    def opened(cls, folder: Path | None, profile: str | None, *, here: bool = False) -> Self:
        """A new panel, in place of the one of this name that was open; ``here``: it stays in its cell."""
        if before := OPEN.pop(cls.name, None):
            before.close()
        made = cls(Caller(folder or Path.cwd(), profile), here=here)
        OPEN[cls.name] = made
        return made

    def look(self) -> dict[str, Any]:
        """What there is to see now, as JSON; by verbs.

        Raises:
            MloxError: it cannot be seen.
        """
        raise NotImplementedError

    def besides(self) -> None:
        """Look at what costs more than a look, and is not needed each time; never raises."""

    def answers(self) -> Mapping[str, Answer]:
        """What answers each question of the browser: a function of what comes with it."""
        return {}

    def refresh(self) -> None:
        """Look now; what is the same as before is not sent again."""
        try:
            found = self.look()
        except MloxError as error:
            found = {**self.seen, "problem": error.problem, "hint": in_a_cell(error.hint or "")}
        with self._lock:
            if not self._closed.is_set() and found != self.seen:
                self.seen = found

    def do(self, title: str, *words: str) -> None:
        """Call a verb beside; what it tells on the way is in ``work``.

        Raises:
            UsageError: something else is being done.
        """
        with self._lock:
            if self._work is not None and self._work.running:
                raise UsageError(f"{self._work.title} goes on", hint="Wait until it has ended.")
            self._work = Work(title, self._tell)
            self._work.show()
        self._worker.submit(self._work.run, lambda emit: self.caller.call(*words, emit=emit), self.refresh)

    def close(self) -> None:
        """End the thread and the comm; what is under way goes on to its end."""
        self._closed.set()
        self._wanted.set()
        self._worker.shutdown(wait=False)
        if OPEN.get(self.name) is self:
            del OPEN[self.name]
        DOCK.remove(self.name)
        super().close()

    def _tell(self, told: dict[str, Any]) -> None:
        with self._lock:
            if not self._closed.is_set():
                self.work = told

    def _looking(self) -> None:
        while not self._closed.is_set():
            self._wanted.wait(LOOK_S if self._watched() else None)
            self._wanted.clear()
            if self._watched() and not self._closed.is_set():
                self.refresh()
                self.besides()

    def _asked(self, _: object, content: dict[str, Any], __: object) -> None:
        """Answer one question of the browser, by its number."""
        number, asked = content.pop("id", None), content.pop("ask", "")
        if asked in self._told_by_views:
            self._told_by_views[asked](self, **content)
            return
        self.send({"id": number, **answered(lambda: self._answer(asked, content))})

    def _watched(self) -> bool:
        """Whether anybody can see it, in one view or another; nobody has said anything yet: yes."""
        return any(list(self._views.values()) or [True])

    def _watch(self, view: str, visible: bool) -> None:
        self._views[view] = visible
        self._wanted.set()

    def _dock(self) -> None:
        """JupyterLab is the page."""
        if not self._here and DOCK.is_there() and OPEN.get(self.name) is self:
            DOCK.add(self.name, self, self._tell_docked)

    def _undock(self) -> None:
        self._here = True
        DOCK.remove(self.name)

    def _tell_docked(self, docked: bool) -> None:
        if not self._closed.is_set():
            self.docked = docked

    _told_by_views: ClassVar[dict[str, Callable[..., None]]] = {"watch": _watch, "dock": _dock, "undock": _undock}
    """What a view tells by itself, without an answer."""

    def _answer(self, asked: str, content: Mapping[str, Any]) -> object:
        answer = self.answers().get(asked)
        if answer is None:
            raise UsageError(f"this panel knows no {asked!r}", hint="Run its cell again.")
        return answer(**content)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """The widget, and a text that is the same on every run."""
        found = super()._repr_mimebundle_(**options)
        if found is not None:
            found[0]["text/plain"] = str(self)
        return found

    def __str__(self) -> str:
        """What stands in its place where no widget can be shown."""
        return f"panel {self.name}: open in JupyterLab; as text: %mlox {self.as_text}"


def joined(kind: str, *parts: str) -> str:
    """Files of the browser's part as one, since what anywidget loads imports nothing.

    Example:
        >>> joined("css", "forms").startswith("/* Fields")
        True
    """
    return "\n".join((ASSETS / f"{part}.{kind}").read_text("utf-8") for part in parts)


def close_all() -> None:
    """Close every panel of this kernel."""
    for panel in list(OPEN.values()):
        panel.close()
