"""How a webhook is told: one POST of a JSON object, bounded in time; a redirect is no answer."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from mlox import __version__
from mlox.alerts.records import Notification
from mlox.errors import DeliveryError
from mlox.receivers.messages import as_json
from mlox.secret import Secret
from mlox.specs.registry import is_loopback

ANSWER_S = 10.0
HINT = "Look at tell.webhook of mlox.yaml, or at the secret that it names."


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A POST that is redirected would become a GET, and nobody would be told."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """None: it counts as an error."""


class WebhookReceiver:
    """An address that takes a POST; implements :class:`mlox.protocols.Receiver`.

    The address may be all that protects it: it is a secret, and no message names more than its host.

    Args:
        url: ``https://HOST/...``; ``http`` on this machine alone.

    Raises:
        DeliveryError: it is none.
    """

    def __init__(self, url: Secret) -> None:
        parts = urlsplit(url.reveal().strip())
        try:
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            host = ""
        secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
        if not host or not secure:
            raise DeliveryError("the webhook is no address that begins with https://", hint=HINT)
        self.host = host
        self._url = url

    def tell(self, notifications: Sequence[Notification]) -> None:
        """POST them; see :meth:`mlox.protocols.Receiver.tell`."""
        request = urllib.request.Request(  # noqa: S310 - the scheme is checked above
            self._url.reveal().strip(),
            data=json.dumps(as_json(notifications)).encode(),
            headers={"Content-Type": "application/json", "User-Agent": f"mlox/{__version__}"},
            method="POST",
        )
        opener = urllib.request.build_opener(_NoRedirects)
        problem = ""
        try:
            with opener.open(request, timeout=ANSWER_S):
                return
        except urllib.error.HTTPError as error:
            problem = f"it answered with HTTP status {error.code}"
            error.close()
        except urllib.error.URLError as error:
            problem = f"it cannot be reached: {_reason(error.reason)}"
        except TimeoutError:
            problem = f"it did not answer in {ANSWER_S:.0f} s"
        except (OSError, http.client.HTTPException) as error:
            problem = f"it broke off: {type(error).__name__}"
        raise DeliveryError(f"the webhook at {self.host}: {problem}", hint=HINT)


def _reason(reason: object) -> str:
    """What the system says; never a text that could hold the address."""
    if isinstance(reason, TimeoutError):
        return f"no answer in {ANSWER_S:.0f} s"
    return str(reason.strerror or type(reason).__name__) if isinstance(reason, OSError) else type(reason).__name__
