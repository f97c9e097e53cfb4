"""Passwords hashed by bcrypt: the library knows them again, and each has one hash."""

from __future__ import annotations

import bcrypt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlox.compose.exported import Exported
from mlox.hashing import LONGEST, hashed
from mlox.units import Unit

PASSWORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=18)


@settings(max_examples=50)
@given(PASSWORDS)
def test_the_library_knows_a_password_again_and_no_other(password: str) -> None:
    hash_ = hashed(password).encode()
    assert bcrypt.checkpw(password.encode(), hash_)
    assert not bcrypt.checkpw(f"{password}x".encode(), hash_)


def test_a_password_has_one_hash_and_another_one_another_salt() -> None:
    first = hashed("not-the-default-one")
    hashed.cache_clear()
    assert first == hashed("not-the-default-one")
    assert hashed("not-the-default-two")[:29] != first[:29]
    assert len({hashed("w" * LONGEST), hashed("w" * (LONGEST - 1))}) == 2


@pytest.mark.parametrize("password", ["w" * (LONGEST + 1), "ü" * 37, "word\0"])
def test_what_would_be_cut_off_is_refused(password: str) -> None:
    with pytest.raises(ValueError, match="up to 72 bytes"):
        hashed(password)


def test_a_compose_file_asks_for_the_hash() -> None:
    exported = Exported("demo", "")
    unit = Unit("demo-0001", "prometheus", "server", "prometheus", "1", "local", "docker", ())
    text = exported.template(unit, 'mlox: "${bcrypt.password}"')
    assert text == 'mlox: "${PROMETHEUS_PASSWORD_BCRYPT:?a secret of mlox}"'
    told = "mlox secrets get prometheus.password --reveal, hashed by bcrypt"
    assert exported.variables == {"PROMETHEUS_PASSWORD_BCRYPT": told}
