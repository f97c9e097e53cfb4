"""Voilà with one page, on loopback, behind a token; its settings are these and nobody's files."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.auth.identity import IdentityProvider
from jupyter_server.base.handlers import JupyterHandler
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets
from tornado.web import HTTPError
from traitlets.config import Config
from voila.app import Voila
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler

from mlox.errors import PortTakenError, RequirementError
from mlox_jupyter.web.asked import Answers, Asked
from mlox_jupyter.web.kernels import SETTINGS, Kernels, ThisPython
from mlox_jupyter.web.page import notebook

HERE = "127.0.0.1"
TEMPLATES = Path(__file__).parent / "assets"
PATIENCE_S = 5.0
"""How long kernels have to end when the page is ended."""

LONGEST = 107 if sys.platform == "linux" else 103
"""How many bytes the name of a socket has at most (sys/un.h), without the zero at its end."""

OF_A_KERNEL = len("/voila_12345678/kernel-12345678-1234-1234-1234-123456789012.json-ipc-5")

EXTENSIONS = ("anywidget", "@jupyter-widgets/jupyterlab-manager", "@voila-dashboards/widgets-manager8")
"""What of JupyterLab's extensions the page loads; others that are installed here stay out of it."""

HEADERS = {
    # Scripts of Voilà stand in its page, and widgets are modules of their own: blobs.
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; object-src 'none'",
    "Referrer-Policy": "same-origin",
}

DOOR = '<!DOCTYPE html>\n<html lang="en"><title>mlox</title><meta http-equiv="refresh" content="0;url={}"></html>\n'


class NoToken(JupyterHandler):
    """Where a request without the token ends."""

    @allow_unauthenticated
    def get(self) -> None:
        """Refuse, and tell what helps."""
        raise HTTPError(403, "open the address that mlox ui has printed: it ends with a token")

    def write_error(self, status_code: int, **options: Any) -> None:
        """A line of text, without a template."""
        del options
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code}: open the address that mlox ui has printed: it ends with a token\n")


class TokenOnly(IdentityProvider):
    """Who has the token may do all; there is no form to type it into, and no password."""

    def get_handlers(self) -> list[tuple[str, object]]:
        """Where who has none is sent."""
        return [("/login", NoToken)]


class Closing(VoilaShutdownKernelHandler):  # type: ignore[misc]  # Voilà has no types
    """Where a page that is closed ends its kernel."""

    def check_xsrf_cookie(self) -> None:
        """Nothing: what a page sends while it is closed has no such header; who sends it is known by its origin."""
        if self.request.headers.get("Origin") != f"{self.request.protocol}://{self.request.host}":
            raise HTTPError(403)


class Page(Voila):  # type: ignore[misc]  # Voilà has no types
    """Voilà, with one page and nothing beside it: no folder can be listed, no file read, no other notebook run."""

    def setup_template_dirs(self) -> None:
        """Put the page's template before Voilà's own, which fetches style sheets from elsewhere."""
        super().setup_template_dirs()
        self.template_paths.insert(0, str(TEMPLATES))

    def init_handlers(self) -> list[Any]:
        """Voilà's, without files; the page is at one address, and what is unknown is not found."""
        made = []
        for pattern, kind, *rest in super().init_handlers():
            if pattern == "/(.*)":
                made.append((r"/", kind, *rest))
            elif kind is VoilaShutdownKernelHandler:
                made.append((pattern, Closing))
            elif not pattern.startswith("/voila/files/"):
                made.append((pattern, kind, *rest))
        return made

    def listen(self) -> None:
        """Answer on loopback until somebody ends it."""
        self.ended = asyncio.Event()
        loop = IOLoop.current()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.asyncio_loop.add_signal_handler(number, self.ended.set)  # type: ignore[attr-defined]
        loop.add_handler(sys.stdin.fileno(), self._closed, IOLoop.READ)
        loop.run_sync(self._answering)

    async def _answering(self) -> None:
        server = HTTPServer(self.app)
        server.add_sockets(self.sockets)
        self.told()
        await self.ended.wait()
        server.stop()
        await self.kernel_manager.end_all(PATIENCE_S)

    def _closed(self, handle: int, _: int) -> None:
        """End as soon as who has started it is gone."""
        if not os.read(handle, 1024):
            IOLoop.current().remove_handler(handle)
            self.ended.set()


def serve(asked: Asked, folder: Path, answers: Answers) -> None:
    """Serve the page until it is ended.

    Args:
        folder: one of its own, which nobody else can read; removed afterwards by who has made it.

    Raises:
        PortTakenError: somebody else listens where it was to be. RequirementError: it cannot listen there.
    """
    page = folder / "panels.ipynb"
    page.write_text(json.dumps(notebook(asked.folder, asked.profile)), "utf-8")
    app = Page(config=settings(asked, page))
    app.config_file_paths = []
    app.sockets = _sockets(asked.port)
    port = app.sockets[0].getsockname()[1]
    door = folder / "open.html"
    door.touch(0o600)
    door.write_text(DOOR.format(f"http://{HERE}:{port}/?token={asked.token}"), "utf-8")
    app.told = lambda: answers.ready(port, door)
    Kernels.folder = str(asked.folder)
    app.initialize([])
    app.start()


def settings(asked: Asked, page: Path) -> Config:
    """What Voilà is told."""
    return Config(
        {
            "Voila": {
                "ip": HERE,
                "notebook_path": str(page),
                "root_dir": str(page.parent),
                "connection_dir_root": str(page.parent),
                "open_browser": False,
                "token": asked.token,
                "identity_provider_class": TokenOnly,
                "log_level": "ERROR",
                # A name that leads here could be anybody's page (DNS rebinding): only loopback's own are answered.
                "tornado_settings": {
                    "allow_remote_access": False,
                    "allow_unauthenticated_access": False,
                    "local_hostnames": ["localhost"],
                    "headers": HEADERS,
                },
            },
            "VoilaConfiguration": {
                "allow_template_override": "NO",
                "allow_theme_override": "NO",
                "extension_allowlist": list(EXTENSIONS),
                "extension_denylist": [],
                "file_allowlist": [],
                "kernel_spec_manager_class": ThisPython,
                "multi_kernel_manager_class": Kernels,
                "show_tracebacks": False,
                "strip_sources": True,
            },
            "Kernels": SETTINGS,
            "KernelManager": {"transport": transport(page.parent)},
            "TokenOnly": {"cookie_options": {"samesite": "Strict", "expires_days": None}},
        }
    )


def transport(folder: Path) -> str:
    """How kernels are talked to: by sockets in a folder of our own where their names are not too long.

    What a kernel publishes on a port of loopback, every account of this machine can read.

    Example:
        >>> transport(Path("/tmp/mlox-ui-12345678"))
        'ipc'
    """
    return "ipc" if len(os.fsencode(folder)) + OF_A_KERNEL <= LONGEST else "tcp"


def _sockets(port: int) -> list[Any]:
    try:
        return bind_sockets(port, HERE)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            hint = "Leave --port out, and a free one is taken."
            raise PortTakenError(f"port {port} of {HERE} is in use", hint=hint) from error
        raise RequirementError(
            f"port {port} of {HERE} cannot be had: {error.strerror}", hint="Name one above 1023, or leave --port out."
        ) from error
