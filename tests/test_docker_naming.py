"""What things of ours are called on an engine, and that a stranger's are never taken for ours."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlox.backends.docker import naming
from mlox.backends.docker.naming import Labels
from mlox.errors import RequirementError, UsageError
from mlox.specs.model import NAME

names = st.from_regex(NAME, fullmatch=True).filter(lambda name: len(name) <= 40)
stacks = st.builds("{}-{:04x}".format, names, st.integers(0, 0xFFFF))
ENGINE = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
"""What an engine lets be a name. Source: moby, ``daemon/names``."""


@given(stacks, names, names)
def test_every_name_is_one_that_engines_take(stack: str, service: str, part: str) -> None:
    made = {
        naming.container(stack, service, part),
        naming.volume(stack, service, part),
        naming.settings(stack, service, part),
        naming.network(stack),
        naming.lease(stack),
    }
    assert len(made) >= 4
    for name in made:
        assert ENGINE.fullmatch(name)
        assert len(name) <= naming.LONGEST
        assert name.startswith(f"mlox-{stack}")


@given(stacks, names, names, st.text(string.hexdigits, max_size=12))
def test_labels_are_read_back(stack: str, service: str, unit: str, digest: str) -> None:
    labels = Labels(stack, service, unit, digest)
    assert Labels.of({**labels.to_engine(), "maintainer": "somebody"}) == labels


@pytest.mark.parametrize("labels", [None, {}, {"mlox.service": "db"}, {"com.docker.compose.project": "a"}])
def test_what_has_not_our_labels_is_a_strangers(labels: dict[str, str] | None) -> None:
    assert Labels.of(labels) is None
    with pytest.raises(RequirementError, match="the volume mlox-a-db-data is not mlox's; it was not touched") as caught:
        naming.check_ours("volume", "mlox-a-db-data", labels, Labels("a", "db"))
    assert caught.value.hint == "Rename or remove that volume, then go on."


@pytest.mark.parametrize(
    "there", [Labels("a-b", "c", "d"), Labels("a", "b", "c-d"), Labels("a", "x", "c"), Labels("a", "b", "x")]
)
def test_a_name_that_can_be_read_in_two_ways_belongs_to_whom_the_labels_say(there: Labels) -> None:
    wanted = Labels("a", "b", "c")
    naming.check_ours("container", "mlox-a-b-c", wanted.to_engine(), wanted)
    with pytest.raises(RequirementError, match=f"belongs to {there.stack}/{there.service}/{there.unit}"):
        naming.check_ours("container", "mlox-a-b-c", there.to_engine(), wanted)


def test_a_name_that_an_engine_could_not_keep_is_refused() -> None:
    with pytest.raises(UsageError, match="longer than an engine's names may be"):
        naming.container("a" * 100, "b" * 100, "c" * 100)
