"""Images on a real engine and a real registry: pins, pulls with their progress, what is not to be had, what is left."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlox.backends.docker.engine import Engine
from mlox.backends.docker.images import Images
from mlox.errors import CommandError, MloxError, RequirementError, UsageError
from mlox.protocols import Event, Leftover, silent
from tests.live.engine_stage import daemon, opened, publish, registry
from tests.live.native_stage import until

pytestmark = pytest.mark.xdist_group("engine")


@pytest.fixture(scope="module")
def new_engine() -> Iterator[Engine]:
    with daemon() as made, contextlib.closing(opened(made)) as engine:
        yield engine


@pytest.fixture(scope="module")
def place() -> Iterator[str]:
    with registry() as made:
        yield made


@pytest.fixture
def engine(new_engine: Engine) -> Iterator[Engine]:
    new_engine.api.reload_config()
    yield new_engine
    for image in new_engine.api.images():
        new_engine.api.remove_image(image["Id"], force=True)


def test_a_name_is_what_the_registry_has_now_and_nothing_is_pulled_for_that(engine: Engine, place: str) -> None:
    digest = publish(engine, f"{place}/team/app:1")
    assert Images(engine).pin(f"{place}/team/app:1", silent) == f"{place}/team/app@{digest}"
    assert engine.api.images() == []


def test_what_is_here_decides_before_the_registry(engine: Engine, place: str) -> None:
    images, name = Images(engine), f"{place}/moves:1"
    old = publish(engine, name, b"old")
    engine.api.pull(name)
    publish_elsewhere(engine, name)
    assert images.pin(name, silent) == f"{place}/moves@{old}"
    assert images.pin(f"{name}@{old}", silent) == f"{place}/moves@{old}"


def test_an_image_that_only_lives_here_is_pinned_by_its_id(engine: Engine) -> None:
    made = json.loads(engine.api.import_image_from_data(b"\0" * 1024, repository="own", tag="1"))["status"]
    images = Images(engine)
    assert images.pin("own:1", silent) == made
    assert images.pin(made, silent) == made
    images.bring(made, silent)
    engine.api.remove_image("own:1")
    with pytest.raises(RequirementError, match="no registry has it") as caught:
        images.bring(made, silent)
    assert caught.value.hint == "Build or load it again."


def test_pulls_go_side_by_side_and_tell_how_far_they_are(engine: Engine, place: str) -> None:
    names = [f"{place}/part{number}:1" for number in range(3)]
    digests = [publish(engine, name, os.urandom(3_000_000), layers=2) for name in names]
    events: list[Event] = []
    pins = Images(engine).pins(names, events.append)
    assert list(pins.values()) == [
        f"{name.rpartition(':')[0]}@{digest}" for name, digest in zip(names, digests, strict=True)
    ]
    assert all(engine.api.inspect_image(pin) for pin in pins.values())
    for name in names:
        told = [event for event in events if event.message.startswith(f"pulling {name}")]
        assert told[0].fraction is None
        assert any("MB)" in event.message for event in told)
        shares = [event.fraction for event in told if event.fraction is not None]
        assert shares == sorted(shares)
        assert len(told) < 30


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("{place}/nothing:1", "Check the name and the tag"),
        ("{place}/app:nope", "Check the name and the tag"),
        ("127.0.0.1:1/app:1", "Check the network"),
        ("{place}/UPPER:1", "Write it as NAME:TAG"),
        ("{place}/app@sha256:" + 64 * "0", "Check the name and the tag"),
    ],
)
def test_what_is_not_to_be_had_is_told_in_the_registrys_words(engine: Engine, place: str, name: str, hint: str) -> None:
    publish(engine, f"{place}/app:1")
    images = Images(engine)
    with pytest.raises(RequirementError, match="is not to be had: ...") as caught:
        images.bring(images.pin(name.format(place=place), silent), silent)
    assert hint in (caught.value.hint or "")


def test_a_platform_that_an_image_is_not_for_is_refused(engine: Engine, place: str) -> None:
    pin = f"{place}/app@{publish(engine, f'{place}/app:1')}"
    images = Images(engine)
    there = f"linux/{engine.api.version()['Arch']}"
    images.bring(pin, silent, platform=there)
    assert images.is_there(pin)
    with pytest.raises(RequirementError, match="not to be had") as caught:
        images.bring(pin, silent, platform="linux/s390x")
    assert caught.value.hint == "Choose an image for that platform."


@pytest.mark.parametrize("how", ["abort", "another_fails"])
def test_a_pull_that_stalls_can_be_ended_and_leaves_nothing_broken(engine: Engine, how: str) -> None:
    with stalling() as place:
        images = Images(engine)
        caught: list[MloxError] = []
        names = [f"{place}/slow:1", *(["127.0.0.1:1/app:1"] if how == "another_fails" else [])]

        def work() -> None:
            try:
                images.pins(names, silent)
            except MloxError as error:
                caught.append(error)

        thread = threading.Thread(target=work)
        begun = time.monotonic()
        thread.start()
        if how == "abort":
            until(lambda: images._running)
            time.sleep(0.3)
            images.abort()
        thread.join(20)
        assert not thread.is_alive()
        assert time.monotonic() - begun < 20
        assert isinstance(caught[0], CommandError if how == "abort" else RequirementError)
    assert images._running == []
    assert engine.client.ping()


def test_a_pull_that_is_ended_in_the_middle_can_be_done_again(engine: Engine, place: str) -> None:
    pin = f"{place}/large@{publish(engine, f'{place}/large:1', os.urandom(40_000_000))}"
    images = Images(engine)

    def interrupting(event: Event) -> None:
        if event.fraction is not None:
            images.abort()

    with pytest.raises(CommandError, match="ended on request"):
        images.bring(pin, interrupting)
    assert not images.is_there(pin)
    images.bring(pin, silent)
    assert images.is_there(pin)
    assert [left.name for left in images.leftovers([])] == [pin]


def test_ctrl_c_ends_a_pull(engine: Engine, place: str) -> None:
    pin = f"{place}/large@{publish(engine, f'{place}/large:2', os.urandom(40_000_000))}"
    images = Images(engine)

    def interrupting(event: Event) -> None:
        if event.fraction is not None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        images.bring(pin, interrupting)
    assert images._running == []
    images.bring(pin, silent)
    assert images.is_there(pin)


def test_credentials_are_those_of_the_docker_command_and_read_anew(
    engine: Engine, place: str, isolated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlox.backends.docker.pulling import credentials
    from mlox.backends.docker.references import Reference

    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    reference = Reference.of(f"{place}/app:1")
    assert credentials(engine.api, reference) == {}
    folder = Path(os.environ["HOME"]) / ".docker"
    folder.mkdir()
    word = base64.b64encode(b"ada:secret").decode()
    (folder / "config.json").write_text(json.dumps({"auths": {place: {"auth": word}}}))
    assert sent(credentials(engine.api, reference))["password"] == "secret"
    helper = isolated / "docker-credential-ours"
    helper.write_text('#!/bin/sh\necho \'{"Username": "ada", "Secret": "from the helper"}\'\n')
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{isolated}:{os.environ['PATH']}")
    (folder / "config.json").write_text(json.dumps({"credHelpers": {place: "ours"}}))
    assert sent(credentials(engine.api, reference))["Password"] == "from the helper"
    helper.write_text("#!/bin/sh\nexit 1\n")
    assert credentials(engine.api, reference) == {}


def test_only_what_mlox_brought_and_nobody_needs_is_left_over(engine: Engine, place: str) -> None:
    images = Images(engine)
    pins = [f"{place}/n{number}@{publish(engine, f'{place}/n{number}:1', bytes([number]))}" for number in range(5)]
    ours, used, tagged, running, foreign = pins
    engine.api.pull(foreign)
    for pin in pins:
        images.bring(pin, silent)
    engine.api.tag(tagged, "theirs", "1")
    container = engine.api.create_container(running, command=["x"])["Id"]
    assert [left.name for left in images.leftovers([used])] == [ours]
    assert images.leftovers([used])[0].size_bytes > 0
    with pytest.raises(UsageError, match="is in use"):
        images.discard(running, lambda: True)
    assert images.is_there(running)
    engine.api.remove_container(container)
    assert {left.name for left in images.leftovers([used])} == {ours, running}
    with pytest.raises(UsageError, match="is in use"):
        images.discard(ours, lambda: False)
    for left in images.leftovers([used]):
        images.discard(left.name, lambda left=left: _still(images, left, used))  # type: ignore[misc]
    assert [images.is_there(pin) for pin in pins] == [False, True, True, False, True]
    images.discard(ours, lambda: True)


def _still(images: Images, left: Leftover, used: str) -> bool:
    return left in images.leftovers([used])


def sent(header: dict[str, str]) -> dict[str, str]:
    value: dict[str, str] = json.loads(base64.urlsafe_b64decode(header["X-Registry-Auth"]))
    return value


def publish_elsewhere(engine: Engine, name: str) -> None:
    """Let the registry have something newer, while the engine keeps what it had."""
    kept = engine.api.inspect_image(name)["Id"]
    engine.api.tag(kept, "kept", "1")
    publish(engine, name, b"new")
    repository, _, tag = name.rpartition(":")
    engine.api.tag(kept, repository, tag)
    engine.api.remove_image("kept:1")


@contextlib.contextmanager
def stalling() -> Iterator[str]:
    """A registry that accepts connections and never answers."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"
