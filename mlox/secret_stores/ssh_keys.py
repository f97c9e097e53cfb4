"""Which SSH keys can open secrets: unencrypted ed25519 ones; what an SSH key file holds, and why others are refused."""

from __future__ import annotations

import base64
import binascii
import re
import struct

_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\s+(.*?)-----END \1-----", re.DOTALL)
_MAGIC = b"openssh-key-v1\0"
_KINDS = {"ssh-ed25519": "ed25519", "ssh-rsa": "RSA", "ssh-dss": "DSA", "sk-ssh-ed25519@openssh.com": "security"}


def is_ssh_key(text: str) -> bool:
    """Whether a text is a private key in a PEM envelope, as ``ssh-keygen`` and ``openssl`` write it."""
    return text.lstrip().startswith("-----BEGIN ")


def public_half(text: str) -> str:
    """The public key, ``ssh-ed25519 AAAA...``, of an unencrypted ed25519 private key.

    Source: PROTOCOL.key of OpenSSH.

    Raises:
        ValueError: it is another kind of key, encrypted, or damaged; the message says which.
    """
    found = _PEM.search(text)
    if found is None:
        raise ValueError("it is cut off")
    if found[1] != "OPENSSH PRIVATE KEY":
        kind = found[1].removesuffix("PRIVATE KEY").strip() or "PKCS #8"
        raise ValueError(f"it is an SSH key in another form ({kind}), not an ed25519 key of ssh-keygen")
    try:
        content = base64.b64decode(found[2], validate=False)
        if not content.startswith(_MAGIC):
            raise ValueError("it is damaged")
        cipher, rest = _field(content[len(_MAGIC) :])
        _, rest = _field(rest)
        _, rest = _field(rest)
        blob, _ = _field(rest[4:])
        kind, _ = _field(blob)
    except (binascii.Error, struct.error) as error:
        raise ValueError("it is damaged") from error
    if kind != b"ssh-ed25519":
        named = kind.decode("ascii", "replace")
        raise ValueError(f"it is an {_KINDS.get(named, named)} key, and only ed25519 SSH keys can be used")
    if cipher != b"none":
        raise ValueError("it is an SSH key that a passphrase encrypts, which no notebook could ask for at each secret")
    return f"ssh-ed25519 {base64.b64encode(blob).decode()}"


def _field(content: bytes) -> tuple[bytes, bytes]:
    """A length and that many bytes, and what follows."""
    (size,) = struct.unpack_from(">I", content)
    if len(content) < 4 + size:
        raise struct.error("cut off")
    return content[4 : 4 + size], content[4 + size :]
