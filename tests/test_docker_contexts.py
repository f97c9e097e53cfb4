"""Which engine is meant: as the docker command decides, and what is tried where nobody has decided."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mlox.backends.docker.contexts import Address, Certificates, answers, chosen, find, usual
from mlox.errors import MloxError, SpecError, UnknownNameError

HOME = Path("/home/ada")


def write_context(folder: Path, name: str, host: str, *, skip: bool = False, tls: tuple[str, ...] = ()) -> None:
    identity = hashlib.sha256(name.encode()).hexdigest()
    meta = folder / "contexts" / "meta" / identity
    meta.mkdir(parents=True)
    endpoint = {"Host": host, "SkipTLSVerify": skip}
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Metadata": {}, "Endpoints": {"docker": endpoint}}))
    for part in tls:
        place = folder / "contexts" / "tls" / identity / "docker" / part
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("a certificate")


def select(folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"currentContext": name}))


def test_what_is_said_wins_in_the_order_of_the_docker_command(tmp_path: Path) -> None:
    folder = tmp_path / ".docker"
    write_context(folder, "current", "tcp://current:1")
    write_context(folder, "named", "ssh://ada@named")
    seen = [chosen({}, tmp_path)]
    select(folder, "current")
    seen += [
        chosen({}, tmp_path),
        chosen({"DOCKER_CONTEXT": "named"}, tmp_path),
        chosen({"DOCKER_CONTEXT": "default"}, tmp_path),
        chosen({"DOCKER_CONTEXT": "named", "DOCKER_HOST": "unix:///run/x.sock"}, tmp_path),
        chosen({"DOCKER_CONTEXT": "", "DOCKER_HOST": ""}, tmp_path),
    ]
    assert [(each.url, each.source, each.said) for each in seen] == [
        ("unix:///var/run/docker.sock", "the default", False),
        ("tcp://current:1", "the docker context 'current'", True),
        ("ssh://ada@named", "the docker context 'named'", True),
        ("unix:///var/run/docker.sock", "DOCKER_CONTEXT", True),
        ("unix:///run/x.sock", "DOCKER_HOST", True),
        ("tcp://current:1", "the docker context 'current'", True),
    ]


def test_the_folder_of_settings_can_be_elsewhere(tmp_path: Path) -> None:
    write_context(tmp_path / "elsewhere", "lab", "tcp://lab:1")
    select(tmp_path / "elsewhere", "lab")
    assert chosen({"DOCKER_CONFIG": str(tmp_path / "elsewhere")}, HOME).url == "tcp://lab:1"


@pytest.mark.parametrize("how", ["variable", "file"])
def test_an_unknown_context_names_those_that_there_are(tmp_path: Path, how: str) -> None:
    folder = tmp_path / ".docker"
    write_context(folder, "lab", "tcp://lab:1")
    write_context(folder, "office", "tcp://office:1")
    select(folder, "nowhere")
    with pytest.raises(UnknownNameError, match="unknown docker context 'nowhere'") as caught:
        chosen({"DOCKER_CONTEXT": "nowhere"} if how == "variable" else {}, tmp_path)
    assert caught.value.hint == "Choose one of: default, lab, office."


def test_tls_of_a_context(tmp_path: Path) -> None:
    folder = tmp_path / ".docker"
    parts = ("ca.pem", "cert.pem", "key.pem")
    write_context(folder, "whole", "tcp://whole:2376", tls=parts)
    write_context(folder, "loose", "tcp://loose:2376", skip=True)
    write_context(folder, "plain", "tcp://plain:2375")
    write_context(folder, "socket", "unix:///run/x.sock", tls=parts)
    identity = hashlib.sha256(b"whole").hexdigest()
    place = folder / "contexts" / "tls" / identity / "docker"
    tls = {n: chosen({"DOCKER_CONTEXT": n}, tmp_path).tls for n in ("whole", "loose", "plain", "socket")}
    assert tls == {
        "whole": Certificates(place / "ca.pem", place / "cert.pem", place / "key.pem"),
        "loose": Certificates(verify=False),
        "plain": None,
        "socket": None,
    }


def test_tls_of_variables(tmp_path: Path) -> None:
    for part in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / part).write_text("a certificate")
    given = {"DOCKER_HOST": "tcp://lab:2376", "DOCKER_CERT_PATH": str(tmp_path)}
    files = (tmp_path / "ca.pem", tmp_path / "cert.pem", tmp_path / "key.pem")
    assert chosen(given, HOME).tls is None
    assert chosen({**given, "DOCKER_TLS_VERIFY": "1"}, HOME).tls == Certificates(*files)
    assert chosen({**given, "DOCKER_TLS": "1"}, HOME).tls == Certificates(*files, verify=False)
    assert chosen({**given, "DOCKER_TLS_VERIFY": "1", "DOCKER_HOST": "unix:///x"}, HOME).tls is None
    (tmp_path / "key.pem").unlink()
    assert chosen({**given, "DOCKER_TLS_VERIFY": "1"}, HOME).tls == Certificates(files[0])
    with pytest.raises(SpecError, match=r"ca\.pem does not exist"):
        chosen({"DOCKER_HOST": "tcp://lab:2376", "DOCKER_TLS_VERIFY": "1"}, HOME)


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ("tcp://", "tcp://localhost:2375"),
        ("lab", "tcp://lab:2375"),
        (":4243", "tcp://localhost:4243"),
        ("tcp://[::1]:1", "tcp://[::1]:1"),
        (" unix:///a b.sock ", "unix:///a b.sock"),
        ("ssh://ada@lab:2222", "ssh://ada@lab:2222"),
    ],
)
def test_addresses_get_their_whole_form(said: str, url: str) -> None:
    assert chosen({"DOCKER_HOST": said}, HOME).url == url


@pytest.mark.parametrize("said", ["http://lab", "tcp://lab:many", "unix://tcp://x", "ssh://", "fd://", "tcp://a@b"])
def test_what_is_no_address_is_told(said: str) -> None:
    with pytest.raises(SpecError, match="DOCKER_HOST") as caught:
        chosen({"DOCKER_HOST": said}, HOME)
    assert caught.value.hint


@pytest.mark.parametrize("content", ["{", "[]", "\0"])
def test_broken_settings_are_told_and_not_passed_over(tmp_path: Path, content: str) -> None:
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(content)
    with pytest.raises(MloxError, match=r"config\.json") as caught:
        chosen({}, tmp_path)
    assert "DOCKER_HOST" in (caught.value.hint or "")
    assert chosen({"DOCKER_HOST": "lab"}, tmp_path).url == "tcp://lab:2375"


def test_where_nobody_decided_the_first_that_answers_is_taken() -> None:
    environment = {"XDG_RUNTIME_DIR": "/run/user/1000"}
    places = [each.url for each in usual(environment, HOME)]
    assert places[:3] == [
        "unix:///run/user/1000/docker.sock",
        "unix:///run/user/1000/podman/podman.sock",
        "unix:///run/podman/podman.sock",
    ]
    for place in places:
        assert find(environment, HOME, answering=_only(place))[0].url == place
    found, tried = find(environment, HOME, answering=lambda _: False)
    assert found.source == "the default"
    assert len(tried) == len(places) + 1


def _only(url: str) -> Callable[[Address], bool]:
    return lambda address: address.url == url


def test_what_somebody_chose_is_used_whether_it_answers_or_not() -> None:
    found, tried = find({"DOCKER_HOST": "unix:///nowhere"}, HOME, answering=lambda each: each.url != "unix:///nowhere")
    assert (found.url, tried) == ("unix:///nowhere", (found,))


def test_a_file_is_no_engine(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    assert not answers(Address(f"unix://{tmp_path}/x", ""))


@pytest.mark.parametrize(
    ("url", "here"),
    [("tcp://localhost:1", True), ("tcp://[::1]:1", True), ("tcp://10.0.0.1:1", False), ("unix:///x", True)],
)
def test_an_address_tells_whether_it_is_this_machine(url: str, here: bool) -> None:
    assert Address(url, "").here is here
