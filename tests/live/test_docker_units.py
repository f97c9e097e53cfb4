"""What containers have beside what every unit has, on a real engine: users, secrets, settings, builds, volumes."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlox.backends.docker import containers, entries, labels, naming, rooms
from mlox.backends.docker.entries import Entry
from mlox.backends.docker.labels import Name
from mlox.errors import CommandError, RequirementError, SpecError
from mlox.protocols import Event, silent
from mlox.secret import Secret
from mlox.units import Container, File, Job, PortBinding, Probe, SecretRef, Software, Unit, Volume
from tests.contracts.docker_bench import DockerBench, docker
from tests.live.native_stage import until

STACK = "units-0001"

pytestmark = pytest.mark.xdist_group("engine")


@pytest.fixture
def bench() -> Iterator[DockerBench]:
    with docker(STACK) as made:
        yield made


def a_unit(command: str, image: str = "busybox:1", **more: Any) -> Unit:
    """A unit that runs a line of shell, then sleeps."""
    name = more.pop("service", "box")
    container = more.pop("container", Container())
    return Unit(
        STACK,
        name,
        "server",
        name,
        "1",
        "docker",
        "docker",
        more.pop("argv", ("sh", "-c", f"{command}\nexec sleep 1000")),
        software=more.pop("software", Software(image=image)),
        container=replace(container, settings={"init": True, **container.settings}),
        stop_grace_s=1,
        intent=(("command", command), *more.pop("intent", ())),
        **more,
    )


def output(bench: DockerBench, unit: Unit, lines: int = 1) -> list[str]:
    read = lambda: bench.backend.logs(unit.stack, unit.service, unit.name, lines=50)  # noqa: E731
    until(lambda: len(read()) >= lines)
    return list(read())


def container(bench: DockerBench, unit: Unit) -> Any:
    there = labels.one(bench.engine, Name.of(unit))
    assert there is not None
    return containers.inspect(bench.engine, there.id)


def test_files_secrets_and_data_belong_to_the_units_user(bench: DockerBench) -> None:
    unit = a_unit(
        "cat /mlox/secrets/word /etc/deep/conf; echo; stat -c '%u:%g %a' /srv/data /mlox/secrets/word\n"
        "id -u; echo $WORD",
        container=Container(user="www-data", volumes=(Volume("data", "/srv/data"),)),
        image="debian:bookworm-slim",
        environment=(("WORD", "it's ${secret.word}"),),
        files=(File("/mlox/secrets/word", "${secret.word}\n"), File("/etc/deep/conf", "x=1", 0o640)),
        secrets=(SecretRef("word", "box.word", "v1", 24),),
    )
    bench.backend.start(unit, {"word": Secret("hunter'22", "v1")}, silent)
    assert output(bench, unit, 6) == ["hunter'22", "x=1", "33:33 755", "33:33 600", "33", "it's hunter'22"]
    assert "hunter" not in json.dumps(container(bench, unit))


def test_a_root_that_is_read_only_still_gets_files_and_data(bench: DockerBench) -> None:
    unit = a_unit(
        "touch /x 2>/dev/null || echo refused; touch /data/x && stat -c %u /data/x; cat /mlox/config/words",
        container=Container(user="1234:1234", volumes=(Volume("data", "/data"),), settings={"read_only": True}),
        files=(File("/mlox/config/words", "hello\n"),),
    )
    bench.backend.start(unit, {}, silent)
    assert output(bench, unit, 3) == ["refused", "1234", "hello"]


def test_what_an_image_without_a_shell_gets_is_said(bench: DockerBench) -> None:
    build_bare(bench)
    unit = a_unit(
        "",
        argv=("/app/busybox", "sleep", "1000"),
        software=Software(image="mlox-test-bare:1"),
        environment=(("WORD", "${secret.word}"),),
        secrets=(SecretRef("word", "box.word", "v1", 24),),
    )
    events: list[Event] = []
    bench.backend.start(unit, {"word": Secret("hunter22", "v1")}, events.append)
    (warning,) = [event.message for event in events if event.kind == "warning"]
    assert warning.startswith("WORD can be read by who may use the engine")
    assert container(bench, unit)["State"]["Running"]
    bench.backend.stop(STACK, "box", "server", purge=True, emit=silent)
    bench.engine.api.remove_image("mlox-test-bare:1")


def build_bare(bench: DockerBench) -> None:
    recipe = b"FROM busybox:1 AS b\nFROM scratch\nCOPY --from=b /bin/busybox /app/busybox\n"
    for line in bench.engine.api.build(fileobj=io.BytesIO(recipe), tag="mlox-test-bare:1", rm=True, decode=True):
        assert "error" not in line, line


def test_a_user_that_the_image_does_not_have_is_named(bench: DockerBench) -> None:
    with pytest.raises(SpecError, match="the image has no user 'nobody-of-mlox'"):
        bench.backend.start(a_unit("true", container=Container(user="nobody-of-mlox")), {}, silent)


def test_one_that_completes_is_well_when_it_has_ended_well(bench: DockerBench) -> None:
    good = a_unit("", argv=("true",), restart="no", completes=True)
    bench.backend.start(good, {}, silent)
    until(lambda: bench.backend.probe(good).healthy)
    (seen,) = bench.backend.observe(STACK)
    assert seen.state == "running"
    bad = a_unit("", argv=("sh", "-c", "exit 4"), service="bad", restart="no", completes=True)
    bench.backend.start(bad, {}, silent)
    until(lambda: bench.backend.probe(bad).dead)
    assert bench.backend.probe(bad).detail == "exit status 4"


def test_a_stop_that_was_asked_for_is_told_from_an_end_by_itself(bench: DockerBench) -> None:
    unit = a_unit("true", restart="no")
    bench.backend.start(unit, {}, silent)
    bench.backend.stop(STACK, "box", "server", purge=False, emit=silent)
    assert [o.state for o in bench.backend.observe(STACK)] == ["stopped"]
    bench.backend.start(unit, {}, silent)
    assert container(bench, unit)["Name"] == f"/mlox-{STACK}-box-server"
    bench.engine.api.kill(container(bench, unit)["Id"])
    until(lambda: [o.state for o in bench.backend.observe(STACK)] == ["failed"])


def test_what_a_killed_start_left_is_gone_on_with(bench: DockerBench) -> None:
    """Made but not started; beside one that runs; under another name; beside it a job that never ended."""
    unit = a_unit(
        "cat /mlox/config/words", files=(File("/mlox/config/words", "hello\n"),), jobs=(Job("once", ("true",)),)
    )
    bench.backend.start(unit, {}, silent)
    api, first = bench.engine.api, container(bench, unit)["Id"]
    api.remove_container(first, force=True)
    config = {"Image": "busybox:1", "Labels": labels.labels_of(unit), "Cmd": ["sleep", "1"]}
    api.create_container_from_config(config, Name.of(unit).new)
    stuck = {"Image": "busybox:1", "Cmd": ["sleep", "1000"], "Labels": labels.beside(Name.of(unit), "job")}
    api.start(api.create_container_from_config(stuck, f"mlox-{STACK}-box-server.job-once")["Id"])
    bench.backend.recover(STACK)
    assert len(labels.listed(bench.engine, STACK)) == 1
    bench.backend.start(replace(unit, intent=(("command", "new"),)), {}, silent)
    assert output(bench, unit) == ["hello"]
    beside = api.create_container_from_config(config, Name.of(unit).new)["Id"]
    bench.backend.recover(STACK)
    assert [each.id for each in labels.listed(bench.engine, STACK)] == [container(bench, unit)["Id"]] != [beside]
    api.rename(container(bench, unit)["Id"], "renamed-by-somebody")
    assert [o.state for o in bench.backend.observe(STACK)] == ["running"]
    bench.backend.stop(STACK, "box", "server", purge=True, emit=silent)
    assert labels.listed(bench.engine, STACK) == []


def test_a_purge_that_was_killed_is_finished_by_the_next(bench: DockerBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A volume goes after its container; until then the unit is there."""
    unit = a_unit("echo hello >/data/word", container=Container(volumes=(Volume("data", "/data"),)))
    bench.backend.start(unit, {}, silent)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(rooms, "remove_volumes", killed)
        with pytest.raises(KeyboardInterrupt):
            bench.backend.stop(STACK, "box", "server", purge=True, emit=silent)
    assert [(seen.unit, seen.state) for seen in bench.backend.observe(STACK)] == [(unit, "stopped")]
    assert len(rooms.volumes_of(bench.engine, naming.Labels(STACK))) == 2
    bench.backend.stop(STACK, "box", "server", purge=True, emit=silent)
    assert bench.backend.observe(STACK) == ()
    assert rooms.volumes_of(bench.engine, naming.Labels(STACK)) == ()


def test_a_volume_of_somebody_else_is_used_and_stays(bench: DockerBench) -> None:
    name = "mlox-test-somebody"
    bench.engine.api.create_volume(name)
    try:
        unit = a_unit("echo x > /data/x", container=Container(volumes=(Volume("data", "/data", name),)))
        bench.backend.start(unit, {}, silent)
        bench.backend.stop(STACK, "box", "server", purge=True, emit=silent)
        assert bench.engine.api.inspect_volume(name)["Name"] == name
    finally:
        bench.engine.api.remove_volume(name)


def test_an_image_is_built_and_pinned_by_its_id(bench: DockerBench, tmp_path: Path) -> None:
    (tmp_path / "Own").write_text('FROM busybox:1 AS first\nARG WORD\nRUN echo "$WORD" > /word\nFROM first AS last\n')
    build = (("args.WORD", "hunter"), ("context", str(tmp_path)), ("dockerfile", "Own"), ("target", "first"))
    events: list[Event] = []
    pinned = bench.backend.pin(Software(image="mlox-test-built:1", build=build), events.append)
    assert pinned.pins[0].startswith("sha256:")
    assert any("Step 3/" in event.message for event in events)
    unit = a_unit("cat /word", software=pinned)
    bench.backend.start(unit, {}, silent)
    assert output(bench, unit) == ["hunter"]
    bench.backend.stop(STACK, "box", "server", purge=True, emit=silent)
    bench.engine.api.remove_image("mlox-test-built:1")
    (tmp_path / "Own").write_text("FROM busybox:1\nRUN echo it failed here && false\n")
    with pytest.raises(CommandError, match="it failed here"):
        bench.backend.pin(Software(image="mlox-test-built:1", build=build[1:3]), silent)
    with pytest.raises(SpecError, match="is no folder"):
        bench.backend.pin(Software(image="x", build=(("context", f"{tmp_path}/absent"),)), silent)


def test_the_engines_health_check_sees_the_variables_of_the_script(bench: DockerBench) -> None:
    check = {"test": ["CMD-SHELL", '[ "$WORD" = hunter22 ]'], "interval": 0.5, "retries": 1}
    unit = a_unit(
        "true",
        container=Container(settings={"healthcheck": check}),
        environment=(("WORD", "${secret.word}"),),
        secrets=(SecretRef("word", "box.word", "v1", 24),),
        probe=Probe("container"),
    )
    bench.backend.start(unit, {"word": Secret("hunter22", "v1")}, silent)
    until(lambda: bench.backend.probe(unit).healthy)
    assert container(bench, unit)["State"]["Health"]["Status"] == "healthy"


def test_a_volume_goes_out_and_comes_in_as_an_archive(bench: DockerBench) -> None:
    unit = a_unit(
        "mkdir -p /data/a/$(printf 'x%.0s' $(seq 120)); cd /data/a\n"
        "echo one > one; ln one two; chmod 640 one; ln -s one link",
        container=Container(volumes=(Volume("data", "/data"),)),
    )
    bench.backend.start(unit, {}, silent)
    until(lambda: bench.backend.exec(unit, ["test", "-L", "/data/a/link"], input=None, write=lambda *_: None) == 0)
    bench.backend.stop(STACK, "box", "server", purge=False, emit=silent)
    assert bench.backend.data_size((unit,)) > 0
    sent = b"".join(bench.backend.data_out((unit,)))
    with tarfile.open(fileobj=io.BytesIO(sent)) as archive:
        assert {"data/a/one", "data/a/link"} <= set(archive.getnames())
    other = replace(
        unit,
        service="other",
        command=("sh", "-c", "ls -ln /data/a; cat /data/a/two; exec sleep 1000"),
        container=Container(user="1234:1234", volumes=(Volume("data", "/data"),), settings={"init": True}),
    )
    bench.backend.data_in((other,), [sent], done=())
    bench.backend.start(other, {}, silent)
    told = "\n".join(output(bench, other, 5))
    assert "-rw-r-----    2 1234     1234" in told
    assert "link -> one" in told
    assert told.endswith("one")


def test_a_copy_of_data_is_not_made_where_its_image_has_no_program_for_it(bench: DockerBench) -> None:
    """Then it goes by a stream."""
    build_bare(bench)
    unit = a_unit(
        "",
        argv=("/app/busybox", "sleep", "1000"),
        software=Software(image="mlox-test-bare:1"),
        container=Container(volumes=(Volume("data", "/data"),)),
    )
    bench.backend.start(unit, {}, silent)
    identity = container(bench, unit)["Id"]
    entries.put(bench.engine, identity, "/data", [Entry("words", b"precious", 0o600, (7, 8))], doing="write")
    assert bench.backend.keep(STACK, "box", data=True).data
    entries.put(bench.engine, identity, "/data", [Entry("words", b"worse", 0o600)], doing="write")
    assert bench.backend.take_back(STACK, "box").data
    assert entries.read(bench.engine, identity, "/data/words") == b"precious"
    bench.backend.stop(STACK, "box", "server", purge=True, emit=silent)
    bench.engine.api.remove_image("mlox-test-bare:1")


def test_a_port_that_a_container_has_is_named_with_it(bench: DockerBench) -> None:
    api, port = bench.engine.api, bench.port()
    network = api.create_network("mlox-test-strangers")["Id"]
    host = {"PortBindings": {"1/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]}, "NetworkMode": network}
    config = {"Image": "busybox:1", "Cmd": ["sleep", "100"], "ExposedPorts": {"1/tcp": {}}, "HostConfig": host}
    stranger = api.create_container_from_config(config, "mlox-test-stranger")["Id"]
    try:
        api.start(stranger)
        unit = a_unit("true", ports=(PortBinding("http", port),))
        with pytest.raises(RequirementError, match="is taken by the container mlox-test-stranger"):
            bench.backend.start(unit, {}, silent)
    finally:
        api.remove_container(stranger, force=True)
        api.remove_network(network)
