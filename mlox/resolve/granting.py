"""What a consumer is called at its provider, and what the provider is asked to give it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from mlox.grants import Copies, Grant
from mlox.resolve.service import Decided
from mlox.specs import GrantSpec, ProvideSpec
from mlox.units import SecretRef
from mlox.variables import Variable, literal, substitute

LONGEST = 63
"""How long a name may be: what PostgreSQL keeps of an identifier (NAMEDATALEN)."""

RESERVED = "pg_"
"""How no role may begin (https://www.postgresql.org/docs/current/sql-createrole.html)."""


def account_name(consumer: str, need: str) -> str:
    """The name of a consumer's account and of its database: letters, digits, underscores; each pair has its own.

    Where hyphens, further underscores or the length leave room for doubt, a digest tells two of them apart: a plain
    name has one underscore, one with a digest more.

    Example:
        >>> account_name("mlflow", "database")
        'mlflow_database'
        >>> account_name("my-flow", "database")
        'my_flow_database_5b8ac76f'
    """
    name = f"{consumer}_{need}".replace("-", "_")
    plain = name.count("_") == 1 and not name.startswith(RESERVED) and len(name) <= LONGEST
    if plain:
        return name
    mark = hashlib.sha256(f"{consumer}.{need}".encode()).hexdigest()[:8]
    stem = f"for_{name}" if name.startswith(RESERVED) else name
    return f"{stem[: LONGEST - len(mark) - 1]}_{mark}"


def make_grant(consumer: Decided, need: str, provider: Decided, spec: GrantSpec) -> tuple[Grant, dict[str, SecretRef]]:
    """What the provider is asked for, and the consumer's secrets in it by their keys in the consumer's texts."""
    name = account_name(consumer.name, need).replace("_", spec.separator)
    refs = {key: consumer.granted(need, key, secret) for key, secret in spec.secrets.items()}
    environment = {_variable(each): name for each in spec.names}
    environment |= {_variable(key): f"${{secret.{ref.key}}}" for key, ref in refs.items()}

    def argv(words: Sequence[str] | None) -> tuple[str, ...]:
        return tuple(substitute(word, provider.value) for word in words or ())

    copies = spec.copies
    commands = (copies.keep, copies.take_back, copies.forget, copies.save, copies.load) if copies else ()
    grant = Grant(
        need,
        provider.name,
        spec.unit,
        name,
        argv(spec.argv),
        argv(spec.revoke),
        tuple(sorted(environment.items())),
        Copies(*map(argv, commands)) if copies else None,
    )
    return grant, {ref.key: ref for ref in refs.values()}


def granted(spec: GrantSpec, grant: Grant) -> ProvideSpec:
    """The offer as it is for the consumer of that grant: its own account in the address and in the values."""

    def value(variable: Variable) -> str | None:
        if variable.kind != "grant":
            return None
        return literal(grant.name) if variable.name in spec.names else f"${{secret.need_{grant.need}_{variable.name}}}"

    url = spec.url.model_copy(
        update={
            "user": substitute(spec.url.user or "", value),
            "password": substitute(spec.url.password or "", value),
            "path": substitute(spec.url.path, value),
        }
    )
    return ProvideSpec(url=url, values={key: substitute(text, value) for key, text in spec.values.items()})


def _variable(name: str) -> str:
    return f"MLOX_GRANT_{name.upper()}"
