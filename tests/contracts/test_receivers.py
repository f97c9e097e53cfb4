"""What everybody who is told of alerts must do: take each message once, or say without a secret why not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlox.alerts import Notification
from mlox.errors import DeliveryError
from mlox.protocols import Receiver
from mlox.receivers.email import EmailReceiver
from mlox.receivers.webhook import WebhookReceiver
from mlox.secret import Secret
from mlox.specs import EmailSpec
from mlox.testing import FakeReceiver
from tests.live.native_stage import free_port
from tests.receiving_stage import Hook, certificate, hook, mailbox

FIRING = Notification("a1", "firing", "demo-1a2b", "down", "redis", "unhealthy", 1000.0, None, "no answer")
RESOLVED = Notification("a2", "resolved", "demo-1a2b", "down", "redis", "unhealthy", 1000.0, 1060.5)
PASSWORD = "hunter22-of-the-mail"


@dataclass
class Bench:
    """A receiver, what it was told as words, and how to take it away."""

    receiver: Receiver
    told: Callable[[], list[str]]
    gone: Receiver


@contextmanager
def webhook() -> Iterator[Bench]:
    gone = Secret(f"http://127.0.0.1:{free_port()}/a-token-in-the-path")
    with hook() as server:

        def told() -> list[str]:
            return [alert["annotations"]["summary"] for body in server.accepted for alert in body["alerts"]]

        yield Bench(WebhookReceiver(Secret(server.url)), told, WebhookReceiver(gone))


@contextmanager
def mail() -> Iterator[Bench]:
    with mailbox() as box:
        spec = spec_of(box.port)

        def told() -> list[str]:
            texts = [str(each.get_payload()) for each in box.mail]
            return [line.partition(" ")[2] for text in texts for line in text.splitlines() if "redis" in line]

        yield Bench(EmailReceiver(spec), told, EmailReceiver(spec_of(free_port())))


@contextmanager
def fake() -> Iterator[Bench]:
    made, gone = FakeReceiver(), FakeReceiver()
    gone.down = True
    yield Bench(made, lambda: [each.sentence for each in made.told], gone)


def spec_of(port: int, **more: object) -> EmailSpec:
    given = {"to": ["me@example.org", "you@example.org"], "server": "127.0.0.1", "port": port, "tls": "none", **more}
    return EmailSpec.model_validate(given)


@pytest.fixture(params=[webhook, mail, fake], ids=["webhook", "email", "fake"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    make: Callable[[], AbstractContextManager[Bench]] = request.param
    with make() as made:
        yield made


def test_it_takes_what_it_is_told_in_order(bench: Bench) -> None:
    bench.receiver.tell([FIRING])
    bench.receiver.tell([FIRING, RESOLVED])
    assert bench.told() == [FIRING.sentence, FIRING.sentence, RESOLVED.sentence]


def test_one_that_is_gone_is_an_error_without_a_secret(bench: Bench) -> None:
    with pytest.raises(DeliveryError) as error:
        bench.gone.tell([FIRING])
    assert error.value.hint
    assert "token" not in f"{error.value} {error.value.hint} {error.value.__cause__!r}"
    bench.receiver.tell([FIRING])
    assert bench.told() == [FIRING.sentence]


# A webhook


def test_a_webhook_gets_what_slack_and_alertmanagers_receivers_read() -> None:
    with hook() as server:
        WebhookReceiver(Secret(server.url)).tell([FIRING, RESOLVED])
        ((_, kind, body),) = server.posted
    assert kind == "application/json"
    assert body["text"].splitlines() == [
        "demo-1a2b: 1 firing, 1 resolved",
        "FIRING down: redis (unhealthy): no answer",
        "RESOLVED down: redis (unhealthy)",
    ]
    assert (body["version"], body["status"]) == ("4", "firing")
    first, second = body["alerts"]
    assert first["labels"] == {"alertname": "down", "service": "redis", "stack": "demo-1a2b"}
    assert (first["startsAt"], first["endsAt"]) == ("1970-01-01T00:16:40.000Z", "0001-01-01T00:00:00Z")
    assert (second["status"], second["endsAt"]) == ("resolved", "1970-01-01T00:17:40.500Z")
    assert first["fingerprint"] == "a1"


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 500])
def test_any_answer_but_success_is_none(status: int) -> None:
    with hook() as elsewhere, hook() as server:
        server.status, server.location = status, elsewhere.url if status < 400 else ""
        with pytest.raises(DeliveryError, match=f"the webhook at 127.0.0.1: it answered with HTTP status {status}"):
            WebhookReceiver(Secret(server.url)).tell([FIRING])
        assert (len(server.posted), elsewhere.posted) == (1, [])


@pytest.mark.parametrize("url", ["", "nosuch", "http://example.org/x", "ftp://127.0.0.1/x", "https://", "https://a:b/"])
def test_what_is_no_address_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(DeliveryError, match="no address that begins with https") as error:
        WebhookReceiver(Secret(url))
    assert len(url) < 10 or url not in str(error.value)


# Mail


def test_mail_goes_over_tls_with_a_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = certificate(tmp_path)
    with mailbox(made, user="me", password=PASSWORD) as box:
        spec = spec_of(
            box.port, server="localhost", tls=None, user="me", password="MAIL", **{"from": "mlox@example.org"}
        )
        with pytest.raises(DeliveryError, match="its certificate is not trusted"):
            EmailReceiver(spec, Secret(PASSWORD)).tell([FIRING])
        monkeypatch.setenv("SSL_CERT_FILE", str(made))
        with pytest.raises(DeliveryError, match=r"it refuses the login \(SMTP code 535\)") as error:
            EmailReceiver(spec, Secret("another-password")).tell([FIRING])
        assert "another-password" not in str(error.value)
        EmailReceiver(spec, Secret(PASSWORD)).tell([FIRING])
    (sent,) = box.mail
    assert box.over_tls == [True]
    assert (sent["From"], sent["To"]) == ("mlox@example.org", "me@example.org, you@example.org")
    assert sent["Subject"] == "demo-1a2b: FIRING down: redis (unhealthy): no answer"


def test_a_server_without_tls_gets_nothing() -> None:
    with mailbox() as box:
        with pytest.raises(DeliveryError, match="it offers no TLS"):
            EmailReceiver(spec_of(box.port, tls="starttls")).tell([FIRING])
        assert box.mail == []


def test_an_address_that_is_refused_keeps_nobody_else_from_their_mail() -> None:
    with mailbox(refuses=frozenset({"you@example.org"})) as box:
        EmailReceiver(spec_of(box.port)).tell([FIRING])
        assert len(box.mail) == 1
        with pytest.raises(DeliveryError, match="it refuses you@example.org"):
            EmailReceiver(spec_of(box.port, to="you@example.org")).tell([FIRING])


def test_a_name_of_a_rule_cannot_break_out_of_a_header() -> None:
    strange = Notification(
        "a3", "firing", "demo-1a2b", "down", "redis", "unhealthy", 0.0, None, "a\r\nBcc: x@y.z\n" * 9
    )
    with mailbox() as box:
        EmailReceiver(spec_of(box.port)).tell([strange])
    (sent,) = box.mail
    assert not re.search(r"\n(?![ \t])", str(sent["Subject"]))  # a long one is folded, RFC 5322
    assert sent["Bcc"] is None


def test_the_hook_of_the_stage_can_fail() -> None:
    assert Hook().told() == []
