"""Who is told of alerts in tests: a web server that keeps what is posted, and a mail server that keeps its mail."""

from __future__ import annotations

import base64
import contextlib
import email
import http.server
import json
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any


@dataclass
class Hook:
    """A web server: what was posted to it, by the status that it answered with."""

    status: int = 200
    location: str = ""
    posted: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)
    url: str = ""

    @property
    def accepted(self) -> list[dict[str, Any]]:
        """The objects that it took."""
        return [body for status, _, body in self.posted if status == 200]

    def told(self) -> list[tuple[str, str, str]]:
        """Status, rule and subject of each alert that it took, in order."""
        alerts = [alert for body in self.accepted for alert in body["alerts"]]
        return [(a["status"], a["labels"]["alertname"], a["labels"]["service"]) for a in alerts]


@contextlib.contextmanager
def hook(port: int = 0) -> Iterator[Hook]:
    """A web server on this machine."""
    made = Hook()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = json.loads(self.rfile.read(length))
            made.posted.append((made.status, self.headers["Content-Type"], body))
            self.send_response(made.status)
            if made.location:
                self.send_header("Location", made.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            made.posted.append((405, "", {}))
            self.send_error(405)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    http.server.ThreadingHTTPServer.allow_reuse_address = True
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        made.url = f"http://127.0.0.1:{server.server_address[1]}/services/T0/B0/a-token-in-the-path"
        with serving(server):
            yield made


@contextlib.contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    """A server answers in a thread of its own."""
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(10)


@dataclass
class Mailbox:
    """A mail server: the mail that it took, who logged in, and whether over TLS."""

    user: str = ""
    password: str = ""
    refuses: frozenset[str] = frozenset()
    mail: list[Message] = field(default_factory=list)
    over_tls: list[bool] = field(default_factory=list)
    port: int = 0
    certificate: Path | None = None

    def text(self) -> str:
        """All that it took, decoded."""
        parts = (each.get_payload(decode=True) for each in self.mail)
        return "\n".join(part.decode() for part in parts if isinstance(part, bytes))

    def subjects(self) -> list[str]:
        """The subjects of the mail that it took."""
        return [str(each["Subject"]) for each in self.mail]


@contextlib.contextmanager
def mailbox(certificate: Path | None = None, **settings: Any) -> Iterator[Mailbox]:
    """A mail server on this machine, which speaks as much of RFC 5321 as a client needs; with a certificate, TLS."""
    made = Mailbox(certificate=certificate, **settings)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            _Session(made, self.connection).run()

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_address[1]
        with serving(server):
            yield made


class _Session:
    """One conversation."""

    def __init__(self, box: Mailbox, connection: Any) -> None:
        self.box = box
        self.connection = connection
        self.file = connection.makefile("rb")
        self.secure = False
        self.known = not box.user

    def run(self) -> None:
        """Until the other side ends it."""
        try:
            self._converse()
        finally:
            self.file.close()
            self.connection.close()

    def _converse(self) -> None:
        self.say("220 mail.test")
        while line := self.file.readline():
            word, _, rest = line.decode("ascii").strip().partition(" ")
            if word.upper() == "QUIT":
                self.say("221 bye")
                return
            if getattr(self, f"on_{word.lower()}", self.on_other)(rest):
                return

    def say(self, text: str) -> None:
        self.connection.sendall(f"{text}\r\n".encode())

    def on_other(self, _: str) -> None:
        self.say("250 fine")

    def on_ehlo(self, _: str) -> None:
        offers = ["STARTTLS"] if self.box.certificate is not None and not self.secure else []
        offers += ["AUTH PLAIN"] if self.box.user and (self.secure or self.box.certificate is None) else []
        lines = ["mail.test", *offers]
        for each in lines[:-1]:
            self.say(f"250-{each}")
        self.say(f"250 {lines[-1]}")

    def on_starttls(self, _: str) -> bool:
        self.say("220 go on")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(self.box.certificate))
        self.file.close()
        try:
            self.connection = context.wrap_socket(self.connection, server_side=True)
        except (ssl.SSLError, OSError):
            return True
        self.file = self.connection.makefile("rb")
        self.secure = True
        return False

    def on_auth(self, rest: str) -> None:
        _, user, password = base64.b64decode(rest.split()[1]).decode().split("\0")
        self.known = (user, password) == (self.box.user, self.box.password)
        self.say("235 welcome" if self.known else "535 no such login")

    def on_rcpt(self, rest: str) -> None:
        refused = any(address in rest for address in self.box.refuses)
        self.say("550 no such person" if refused else "250 fine" if self.known else "530 log in first")

    def on_data(self, _: str) -> None:
        self.say("354 go on")
        lines = []
        while (line := self.file.readline()) != b".\r\n":
            lines.append(line)
        self.box.mail.append(email.message_from_bytes(b"".join(lines)))
        self.box.over_tls.append(self.secure)
        self.say("250 taken")


def certificate(folder: Path) -> Path:
    """A certificate of ``localhost`` that nobody else trusts, with its key, in one file; made by OpenSSL."""
    path = folder / "certificate.pem"
    key = folder / "key.pem"
    argv = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost")
    more = ("-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(path))
    subprocess.run((*argv, *more), check=True, capture_output=True, timeout=60)
    path.write_bytes(path.read_bytes() + key.read_bytes())
    return path
