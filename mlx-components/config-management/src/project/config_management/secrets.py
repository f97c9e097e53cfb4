"""Secrets in a configuration: files hold the name of an environment variable, the loaded one a ``SecretStr``."""

from __future__ import annotations

import os
import re
from typing import Annotated

from pydantic import BeforeValidator, SecretStr
from pydantic_core import PydanticCustomError

_REFERENCE = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")


def _from_environment(value: object) -> object:
    if isinstance(value, SecretStr):
        return value  # from code, which has it from wherever it keeps secrets
    found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise PydanticCustomError("secret_written", "a secret is not written down: write env:NAME_OF_A_VARIABLE")
    name = found.group(1)
    text = os.environ.get(name)
    if not text:
        raise PydanticCustomError("secret_missing", "the environment variable {name} is not set", {"name": name})
    return text


EnvSecret = Annotated[SecretStr, BeforeValidator(_from_environment)]
"""A field whose YAML says ``env:WAREHOUSE_PASSWORD``; a secret that stands there itself is refused."""
