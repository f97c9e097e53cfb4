"""How people get mail: one message over SMTP, with TLS unless somebody says otherwise.

Source: RFC 6409 (submission), RFC 8314 (TLS); the standard library's ``smtplib`` and ``email``.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from mlox.alerts.records import Notification
from mlox.errors import DeliveryError
from mlox.receivers.messages import headline, lines
from mlox.secret import Secret
from mlox.specs import EmailSpec

ANSWER_S = 15.0
LONGEST_SUBJECT = 120
HINT = "Look at tell.email of mlox.yaml."


class EmailReceiver:
    """People with mail; implements :class:`mlox.protocols.Receiver`.

    Where the server refuses one address and takes another, that counts as told: those who have it get it once.

    Args:
        spec: the server and the addresses. ``password``: of ``spec.user``, where there is one.
    """

    def __init__(self, spec: EmailSpec, password: Secret | None = None) -> None:
        self.spec = spec
        self._password = password

    def tell(self, notifications: Sequence[Notification]) -> None:
        """Send one message; see :meth:`mlox.protocols.Receiver.tell`."""
        problem = ""
        try:
            with self._connected() as connection:
                if self.spec.user is not None and self._password is not None:
                    connection.login(self.spec.user, self._password.reveal())
                connection.send_message(self._message(notifications))
        except smtplib.SMTPAuthenticationError as error:
            problem = f"it refuses the login (SMTP code {error.smtp_code})"
        except smtplib.SMTPResponseException as error:
            problem = f"it answered with SMTP code {error.smtp_code}"
        except smtplib.SMTPRecipientsRefused as error:
            problem = f"it refuses {', '.join(sorted(error.recipients))}"
        except smtplib.SMTPNotSupportedError:
            problem = "it offers no TLS, or no way to log in, that is known here"
        except smtplib.SMTPException as error:
            problem = f"it broke off: {type(error).__name__}"
        except ssl.SSLCertVerificationError as error:
            problem = f"its certificate is not trusted: {error.verify_message}"
        except TimeoutError:
            problem = f"it did not answer in {ANSWER_S:.0f} s"
        except OSError as error:
            problem = f"it cannot be reached: {error.strerror or type(error).__name__}"
        if problem:
            raise DeliveryError(f"the mail server {self.spec.server}: {problem}", hint=HINT)

    def _connected(self) -> smtplib.SMTP:
        """A connection, secured as the spec says; the server's certificate is checked."""
        where, how = (self.spec.server, self.spec.port), self.spec.security
        context = ssl.create_default_context()
        if how == "tls":
            return smtplib.SMTP_SSL(*where, timeout=ANSWER_S, context=context)
        connection = smtplib.SMTP(*where, timeout=ANSWER_S)
        if how == "starttls":
            try:
                connection.starttls(context=context)
            except BaseException:
                connection.close()
                raise
        return connection

    def _message(self, notifications: Sequence[Notification]) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = " ".join(headline(notifications).split())[:LONGEST_SUBJECT]
        message["From"] = self.spec.sender
        message["To"] = ", ".join(self.spec.to)
        message["Date"] = formatdate(localtime=False)
        message["Message-ID"] = make_msgid(idstring=notifications[-1].id, domain=socket.gethostname() or "localhost")
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no replies of absence
        message.set_content("\n".join([*lines(notifications), "", "How it stands now: mlox status"]) + "\n")
        return message
