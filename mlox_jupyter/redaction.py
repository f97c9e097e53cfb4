"""How secrets stay out of outputs: every message that leaves the kernel passes here, with ``***`` for known values.

It is a guard against accidents and no boundary: code in a cell can always show a value in a writing that nobody knows.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlox.errors import MloxError
from mlox.matching import COLOURS, MARKUP, Matcher
from mlox.secret import made_values
from mlox.verbs.outermost import check_platform
from mlox_jupyter.echo import Echo
from mlox_jupyter.history import History

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

RELEASE_S = 1.0
"""How long the end of a stream is held back that nothing follows, where its cell has ended already."""

FIELDS: Mapping[str, tuple[str, ...]] = {
    "display_data": ("data", "metadata"),
    "update_display_data": ("data", "metadata"),
    "execute_result": ("data", "metadata"),
    "error": ("ename", "evalue", "traceback"),
    "execute_input": ("code",),
    "execute_reply": ("ename", "evalue", "traceback", "payload", "user_expressions"),
    "input_request": ("prompt",),
    "comm_open": ("data",),
    "comm_msg": ("data",),
    "comm_close": ("data",),
    "status": (),
    "clear_output": (),
    "kernel_info_reply": (),
    "comm_info_reply": (),
    "connect_reply": (),
    "shutdown_reply": (),
    "interrupt_reply": (),
}
"""Where in a message texts of the user stand; in one of another type, everywhere.

The rest belongs to the protocol, and a password may be the word ``stdout``.
Source: https://jupyter-client.readthedocs.io/en/stable/messaging.html
"""

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Held:
    """The end of a stream that may be the beginning of a value, and how to send it."""

    text: str
    send: Callable[[str], object]


class Redaction:
    """The guard of one shell. Values are those of every ``Secret`` of this process, and of the workspace's stores."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._session: Any = getattr(getattr(shell, "kernel", None), "session", None)
        self._matcher = Matcher()
        self._known = 0
        self._versions: set[tuple[str, str, str]] = set()
        self._files: tuple[Path, ...] = ()
        self._stamp: object = None
        self._lock = threading.RLock()
        self._held: dict[tuple[str, str], _Held] = {}
        self._busy: set[str] = set()
        self._later: threading.Timer | None = None
        self._pid = os.getpid()
        self._on = False
        self._history = History(shell, self.matcher)
        self._echo = Echo(self.matcher)

    @property
    def on(self) -> bool:
        """Whether messages pass here."""
        return self._on

    def register(self) -> None:
        """Guard outputs and the history from now on."""
        self.refresh()
        self._history.register()
        self._shell.events.register("pre_run_cell", self.refresh)
        send = getattr(self._session, "send", None)
        if callable(send):
            self._send = send
            self._busy.add(_id(getattr(self._shell, "get_parent", dict)()))
            self._session.send = self._guarded
            self._on = True
            self._echo.register()

    def unregister(self) -> None:
        """Let messages pass as they are."""
        self._history.unregister()
        self._shell.events.unregister("pre_run_cell", self.refresh)
        if self._on:
            self._on = False
            self._echo.unregister()
            self._release()
            if vars(self._session).get("send") == self._guarded:
                del self._session.send

    def refresh(self, *_: object) -> None:
        """Read the secrets of the stores around that are new since the last time."""
        written = written_here()
        if written is None:
            return
        try:
            check_platform()
            from mlox.stack import Stack
            from mlox.stack.readable import readable_secrets, stamp, store_files

            now = stamp(written, *self._files)
            if now is not None and now == self._stamp:
                return
            stack = Stack()
            self._files = store_files(stack)
            now = stamp(written, *self._files)  # before they are read: what changes meanwhile is read again
            for _ in readable_secrets(stack, self._versions):
                pass  # made is known; and what cannot be opened cannot be shown either
            self._stamp = now
        except (MloxError, OSError):
            return  # a verb says what is wrong there; without a stack nothing is known of it

    def matcher(self) -> Matcher:
        """What finds the values that are known by now."""
        values = made_values()
        if len(values) != self._known:
            self._matcher, self._known = Matcher.of(values), len(values)
        return self._matcher

    def _guarded(
        self,
        stream: Any,
        msg_or_type: Any,
        content: Message | None = None,
        parent: Message | None = None,
        ident: Any = None,
        buffers: Any = None,
        track: bool = False,
        header: Message | None = None,
        metadata: Message | None = None,
    ) -> Any:
        """``Session.send``, with its signature."""
        if not self._on:
            return self._send(stream, msg_or_type, content, parent, ident, buffers, track, header, metadata)
        if not isinstance(msg_or_type, str):
            message = dict(msg_or_type or {"header": header, "content": content, "metadata": metadata})
        else:
            message = self._session.msg(msg_or_type, content, parent, header, metadata)
        kind, about = message["header"]["msg_type"], _id(message.get("parent_header"))
        buffers = buffers or message.get("buffers")

        def send(content: Message) -> object:
            return self._send(stream, {**message, "content": content}, ident=ident, buffers=buffers, track=track)

        if os.getpid() != self._pid:  # in a fork of the kernel nobody will release, and the lock may be held for ever
            return send(self._redacted(kind, message["content"]))
        with self._lock:
            if kind == "stream":
                return self._stream(message["content"], about, send)
            self._release(None if kind == "shutdown_reply" else about)
            if kind == "status":
                note = self._busy.add if message["content"].get("execution_state") == "busy" else self._busy.discard
                note(about)
            message["metadata"] = self._clean(message.get("metadata") or {})
            buffers = [self._clean_buffer(buffer) for buffer in buffers] if buffers else buffers
            return send(self._redacted(kind, message["content"]))

    def _stream(self, content: Message, about: str, send: Callable[[Message], object]) -> object:
        """Send what can be shown of a stream, and hold back its end."""
        key = (about, str(content["name"]))
        before = self._held.pop(key, None)
        ready, end = self.matcher().cut((before.text if before else "") + content["text"])
        if end:
            self._held[key] = _Held(end, lambda text: send({**content, "text": text}))
            if about not in self._busy and self._later is None:
                self._later = threading.Timer(RELEASE_S, self._release_ended)
                self._later.daemon = True
                self._later.start()
        return send({**content, "text": ready}) if ready else None

    def _release(self, about: str | None = None) -> None:
        """Send the ends that are held back of one request, or of all."""
        with self._lock:
            for key in [key for key in self._held if about in (None, key[0])]:
                held = self._held.pop(key)
                held.send(self.matcher().redacted(held.text, COLOURS))

    def _release_ended(self) -> None:
        """Send the ends of those whose cell has ended: no idle status will come."""
        with self._lock:
            self._later = None
            for about in {key[0] for key in self._held} - self._busy:
                self._release(about)

    def _redacted(self, kind: str, content: Message) -> Message:
        """The content with every text of the user redacted."""
        fields = ("text",) if kind == "stream" else FIELDS.get(kind, tuple(content))
        changed = {field: self._clean(content[field]) for field in fields if field in content}
        return {**content, **changed}

    def _clean(self, value: Any) -> Any:
        """The same, in a copy, with every text redacted; keys are texts too."""
        if isinstance(value, str):
            return self.matcher().redacted(value, MARKUP)
        if isinstance(value, dict):
            return {self._clean(key): self._clean(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self._clean(each) for each in value]
        return value

    def _clean_buffer(self, buffer: Any) -> Any:
        """A binary part of a message, with as many ``*`` as a value has bytes: readers count on its length."""
        content = bytes(memoryview(buffer).cast("B"))
        text = content.decode("latin-1")
        places = self.matcher().in_latin_1.places(text)
        if not places:
            return buffer
        changed = bytearray(content)
        for first, last in places:
            changed[first:last] = b"*" * (last - first)
        return bytes(changed)


def written_here() -> Path | None:
    """The ``mlox.yaml`` here or above; looked for before the stack is loaded, which takes a moment."""
    try:
        here = Path.cwd()
    except OSError:  # somebody removed the folder
        return None
    return next((path for folder in (here, *here.parents) if (path := folder / "mlox.yaml").exists()), None)


def _id(parent: Any) -> str:
    """The id of the request that a message answers, from its header or from the whole request."""
    header = (parent or {}).get("header", parent) or {}
    return str(header.get("msg_id", ""))
