"""Web servers and repositories that mean harm by how they answer: slow, endless, packed, sending elsewhere."""

from __future__ import annotations

import contextlib
import gzip
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from mlox.errors import WorkspaceError
from mlox.registries import https
from mlox.registries.https import HttpsRegistry
from mlox.registries.wire import fetch
from mlox.secret import Secret
from tests.component_stage import template_files
from tests.registry_stage import answering, publish, raw, says, served, serving

TOKEN = "tok-9f8e7d6c5b4a"


def asked(answer: Callable[[BaseHTTPRequestHandler], None], **more: float) -> bytes:
    with serving(answering(answer)) as url:
        return fetch(
            f"{url}/registry.json",
            limit=int(more.get("limit", 1000)),
            timeout_s=more.get("timeout_s", 5.0),
            token=Secret(TOKEN),
            name="@evil",
        )


OK = b"HTTP/1.1 200 OK\r\n"


def test_what_is_there_is_given() -> None:
    assert asked(says(200, b"{}")) == b"{}"
    assert asked(raw(OK, b"\r\n{}")) == b"{}", "without a length it ends with the connection"
    assert asked(raw(OK, b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")) == b"{}"


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (says(404), "there is no http"),
        (says(401), "does not let us in (401)"),
        (says(500), "answers 500"),
        (says(204), "answers 204"),
        (says(200, gzip.compress(b"x" * 1000), Content_Encoding="gzip"), "is packed"),
        (says(200, b"x" * 2000), "has more than 1,000 bytes"),
        (says(200, b"x", Content_Length="99999999999999999999"), "has more than 1,000 bytes"),
        (says(200, b"x", Content_Length="500"), "cannot be reached"),
        (says(302, Location="file:///etc/passwd"), "sends to another place, file:///etc/passwd"),
        (says(302, Location="http://127.0.0.2/x"), "sends to another place"),
        (says(302, Location="//elsewhere.example/x"), "sends to another place"),
        (says(302, Location="https://127.0.0.1/x"), "sends to another place"),
        (says(302, Location="http://127.0.0.1:1/x"), "sends to another place"),
        (says(302, Location="http://["), "cannot be reached|sends to another place"),
        (says(302, Location="/registry.json"), "sends in circles"),
        (says(302), "sends in circles"),
        (raw(b"SSH-2.0-OpenSSH\r\n"), "cannot be reached"),
        (raw(b""), "cannot be reached"),
        (raw(OK, b"X: " + b"y" * 70_000 + b"\r\n\r\n"), "cannot be reached"),
        (raw(OK, b"X: y\r\n", times=200), "cannot be reached"),
        (raw(OK, b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), "cannot be reached"),
        (
            raw(OK, b"Transfer-Encoding: chunked\r\n\r\n", b"400\r\n" + b"x" * 1024 + b"\r\n", times=9999),
            "has more than",
        ),
    ],
)
def test_an_answer_that_is_none_is_refused(answer: Callable[[BaseHTTPRequestHandler], None], problem: str) -> None:
    with pytest.raises(WorkspaceError) as caught:
        asked(answer)
    assert any(one in caught.value.problem for one in problem.split("|")), caught.value.problem
    assert caught.value.hint
    assert TOKEN not in f"{caught.value.problem}{caught.value.hint}"
    assert "127.0.0.1" in caught.value.problem


@pytest.mark.parametrize(
    "answer",
    [
        raw(OK, b"Content-Length: 900\r\n\r\n", b"x", pause_s=0.05, times=400),
        raw(OK, b"X: y\r\n", pause_s=0.05, times=400),
        raw(b"HTTP/1.1 100 Continue\r\n\r\n", pause_s=0.05, times=400),
        raw(OK, b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", pause_s=0.05, times=400),
        raw(b"", b"", pause_s=20),
    ],
    ids=["body", "headers", "status", "chunks", "silence"],
)
def test_a_slow_server_is_given_up_in_time(answer: Callable[[BaseHTTPRequestHandler], None]) -> None:
    ready = threading.active_count()
    begin = time.monotonic()
    with serving(answering(answer)) as url, pytest.raises(WorkspaceError, match="took too long"):
        fetch(f"{url}/x", limit=1000, timeout_s=0.4, token=None, name="@slow")
    assert time.monotonic() - begin < 10  # each would take 20
    assert threading.active_count() <= ready + 1  # the server's own thread may still sleep


def test_the_token_goes_to_one_host_alone(tmp_path: Path) -> None:
    publish(tmp_path, {"greeting": template_files()})
    with served(tmp_path) as (other, heard):
        with serving(answering(says(302, Location=f"{other}/registry.json"))) as url:
            registry = HttpsRegistry(url, name="@evil", token=Secret(TOKEN))
            with pytest.raises(WorkspaceError, match="sends to another place"):
                registry.names()
        assert heard == []
        assert HttpsRegistry(f"{other}/registry.json", name="@acme", token=Secret(TOKEN)).names() == ("greeting",)
        assert [headers.get("Authorization") for _, headers in heard] == [f"Bearer {TOKEN}"]


@pytest.mark.parametrize("token", ["a b", "a\nX-Other: 1", "ä", "a\x00", "a\r\n"])
def test_a_token_that_is_none_is_not_told(tmp_path: Path, token: str) -> None:
    publish(tmp_path, {})
    with served(tmp_path) as (url, heard):
        with pytest.raises(WorkspaceError, match="has a character that no token has") as caught:
            HttpsRegistry(url, name="@acme", token=Secret(token)).names()
        assert caught.value.__cause__ is None
    assert heard == []


def test_a_redirect_on_the_same_host_is_followed(tmp_path: Path) -> None:
    publish(tmp_path / "moved", {"greeting": template_files()})

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.path.startswith("/moved"):
            says(200, (tmp_path / handler.path.lstrip("/")).read_bytes())(handler)
        else:
            says(301, Location=f"/moved{handler.path}")(handler)

    with serving(answering(answer)) as url:
        assert dict(HttpsRegistry(url, name="@acme").read("greeting")) == template_files()


def test_many_slow_files_end_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = publish(tmp_path, {"greeting": template_files()})
    monkeypatch.setattr(https, "COMPONENT_S", 0.3)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.0 if handler.path.endswith("registry.json") else 0.2)
        with contextlib.suppress(OSError):  # nobody listens any more
            says(200, (folder / handler.path.lstrip("/")).read_bytes())(handler)

    with serving(answering(answer)) as url, pytest.raises(WorkspaceError, match="took too long"):
        HttpsRegistry(url, name="@slow").read("greeting")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl that makes a certificate")
def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-keyout", str(key), "-out", str(certificate), "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(command, capture_output=True, check=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    folder = publish(tmp_path / "parts", {"greeting": template_files()})
    with served(folder, context=context) as (url, heard):
        registry = HttpsRegistry(url, name="@acme", token=Secret(TOKEN))
        with pytest.raises(WorkspaceError, match="cannot be reached"):
            registry.names()
        assert heard == [], "the token is not sent to somebody who may be anybody"
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert dict(registry.read("greeting")) == template_files()
        with pytest.raises(WorkspaceError, match="cannot be reached"):
            HttpsRegistry(url.replace("localhost", "127.0.0.1"), name="@acme").names()


def test_only_https_leaves_this_machine() -> None:
    with pytest.raises(WorkspaceError, match="cannot be reached"):
        fetch("http://elsewhere.example/x", limit=10, timeout_s=1, token=None, name="@evil")
