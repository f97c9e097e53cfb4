"""Whether hostile and broken compose files end in errors that name the place, soon, and never in a traceback."""

from __future__ import annotations

import os
import time
import tracemalloc
from pathlib import Path

import pytest

from mlox.compose import read_compose
from mlox.errors import MloxError, SpecError

LAUGHS = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{below}: &{below} [{', '.join([f'*{above}'] * 8)}]\n" for above, below in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGES = "a: &a {k: 1}\n" + "".join(
    f"{below}: &{below} {{<<: [{', '.join([f'*{above}'] * 9)}], {below}: 1}}\n"
    for above, below in zip("abcdefgh", "bcdefghi", strict=True)
)
WEB = "services: {web: {image: 'a:1'"
MANY = "services:\n" + "".join(f"  s{number}: {{image: a}}\n" for number in range(10_000))
ALIASED = "services:\n  s: &s {image: a}\n" + "".join(f"  s{number}: *s\n" for number in range(9_000))

HOSTILE = {
    "billion laughs": (LAUGHS + "services: {web: {image: a, x-y: *i}}", "too deep, or too many values"),
    "merged laughs": (MERGES + "services: {web: {image: a, x-y: *i}}", "too deep, or too many values"),
    "an anchor in itself": ("services: &s {web: *s}", "too deep, or too many values"),
    "10,000 services": (MANY, "too deep, or too many values"),
    "thousands of aliases": (ALIASED, "more than 500|too many values"),
    "deep nesting": ("services: " + "[" * 5000, "too deep"),
    "a python object": ("services: !!python/object/apply:os.system [id]", "constructor for the tag"),
    "a tag of ours": ("services: {web: {image: !reset null}}", "constructor for the tag"),
    "duplicate keys": ("services: {a: {image: b}, a: {image: c}}", "duplicate key"),
    "a duplicate key says no value": ("services: {a: {K: hunter22, K: b}}", 'duplicate key "K"$'),
    "a NUL": ('services: {web: {image: "a\\0b"}}', "services.web.image: holds a character"),
    "half a surrogate": ('services: {web: {image: "a\\ud800"}}', "services.web.image: holds a character"),
    "a raw NUL": ("services: \0", "not valid YAML"),
    "no mapping": ("- a", "no services"),
    "empty": ("", "no services"),
    "services of another kind": ("services: [a]", "services: is a list, not a mapping"),
    "a service of another kind": ("services: {web: 5}", "services.web: is a number, not a mapping"),
    "an unknown key": (f"{WEB}, imgae: b}}}}", "services.web: unknown key 'imgae'"),
    "a wrong name": ("services: {'a b': {image: c}}", "services: 'a b' is no name"),
    "a wrong type": (f"{WEB}, privileged: [1]}}}}", "services.web.privileged: is a list, not true or false or a text"),
    "a wrong port": (f"{WEB}, ports: ['99999:80']}}}}", "services.web.ports.0: is no whole number"),
    "no port at all": (f"{WEB}, ports: [abc]}}}}", "services.web.ports.0: 'abc' is no port"),
    "too many ports": (f"{WEB}, ports: ['1-60000:1-60000']}}}}", "services.web.ports.0: '1-60000' is no range"),
    "a huge number": (f"{WEB}, pids_limit: {'9' * 5000}}}}}", "too large|not valid YAML"),
    "a large number": (f"{WEB}, pids_limit: {'9' * 30}}}}}", "services.web.pids_limit: is a number that is too large"),
    "infinity": (f"{WEB}, cpus: .inf}}}}", "services.web.cpus: is no number"),
    "a huge size": (f"{WEB}, mem_limit: 99999999999999t}}}}", "services.web.mem_limit: .*too large"),
    "a wrong duration": (f"{WEB}, stop_grace_period: soon}}}}", "services.web.stop_grace_period: not a duration"),
    "bytes": (f"{WEB}, command: !!binary aGk=}}}}", "services.web.command: is a bytes"),
    "a list as a key": ("services: {web: {image: a}}\n? [a]\n: b", "a key is no text|not valid YAML"),
    "an absent env_file": (f"{WEB}, env_file: none.env}}}}", r"services.web.env_file.0: .*No such file"),
    "an absent config": (f"{WEB}, configs: [c]}}}}\nconfigs: {{c: {{file: none}}}}", "configs.c.file: .*No such file"),
    "an absent secret": (f"{WEB}, secrets: [c]}}}}", "services.web.secrets.0: there is nothing named 'c'"),
    "an absent variable": (
        f"{WEB}, secrets: [c]}}}}\nsecrets: {{c: {{environment: NOT_SET}}}}",
        "secrets.c.environment: NOT_SET is not set",
    ),
    "an absent volume": (f"{WEB}, volumes: ['d:/d']}}}}", "services.web.volumes.0: there is no volume 'd'"),
    "an absent network": (f"{WEB}, networks: [n]}}}}", "services.web.networks.n: there is no network 'n'"),
    "an absent service": (f"{WEB}, depends_on: [d]}}}}", "services.web.depends_on.d: there is no service 'd'"),
    "a circle": (
        "services: {a: {image: x, depends_on: [b]}, b: {image: x, depends_on: [a]}}",
        "wait for each other in a circle: a, b",
    ),
    "itself": ("services: {a: {image: x, depends_on: [a]}}", "in a circle: a"),
    "includes": ("include: [compose.yaml]\nservices: {web: {image: a}}", "include: not supported"),
    "extends": (f"{WEB}, extends: {{service: web}}}}}}", "services.web.extends: not supported"),
    "a context above": ("services: {web: {build: ../..}}", "services.web.build.context: .*outside of the workspace"),
    "a context above in the middle": ("services: {web: {build: a/../../../b}}", "outside of the workspace"),
    "a context elsewhere": ("services: {web: {build: /etc}}", "outside of the workspace"),
    "a dockerfile above": (
        "services: {web: {build: {context: ., dockerfile: ../../Dockerfile}}}",
        "services.web.build.dockerfile: .*outside of the workspace",
    ),
    "a lone dollar": (f"{WEB}, command: a $ b}}}}", r"services.web.command: a lone \$"),
    "a variable that must be": ("services: {web: {image: '${TAG:?say which}'}}", "services.web.image: TAG: say which"),
    "variables in variables": ("services: {web: {image: '" + "${A:-" * 400 + "}" * 400 + "'}}", "too deep"),
    "an open quotation": (f'{WEB}, command: "a \'b"}}}}', "services.web.command: a quotation mark is not closed"),
    "a shell's operator": (f"{WEB}, command: a && b}}}}", "services.web.command: '&&' is for a shell"),
    "a password in an option": (
        f"{WEB}, command: --requirepass abcdefgh1}}}}",
        "services.web.command: a password stands in an option",
    ),
}


def write(folder: Path, content: str | bytes, name: str = "compose.yaml") -> Path:
    path = folder / "shop" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(("text", "problem"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_ends_in_an_error_soon(text: str, problem: str, tmp_path: Path) -> None:
    path = write(tmp_path, text)
    tracemalloc.start()
    began = time.monotonic()
    try:
        with pytest.raises(SpecError, match=problem) as caught:
            read_compose(path, {}, root=tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 200_000_000
    finally:
        tracemalloc.stop()
    assert time.monotonic() - began < 60  # traced memory is slow, and so may the machine be
    assert caught.value.hint
    assert len(caught.value.problem) < 2000


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"services: {web: {image: \xff}}", "not UTF-8"),
        (b"#" * 1_000_001, "larger than"),
        ("services: {web: {image: a}}\n".encode("utf-16"), "not UTF-8"),
    ],
)
def test_a_file_that_is_no_text_is_refused(content: bytes, problem: str, tmp_path: Path) -> None:
    with pytest.raises(MloxError, match=problem):
        read_compose(write(tmp_path, content), {}, root=tmp_path)


def test_what_is_no_ordinary_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    places = {
        "pipe": "no ordinary file",
        "loop": "cannot read",
        "": "no ordinary file",
        "none": "cannot read",
        "a\0b": "not a path",
    }
    for name, problem in places.items():
        with pytest.raises(MloxError, match=problem):
            read_compose(tmp_path / name, {}, root=tmp_path)


@pytest.mark.parametrize("key", ["env_file: ", "secrets: [s]", "configs: [s]"])
def test_files_that_it_names_may_be_traps_too(key: str, tmp_path: Path) -> None:
    folder = write(tmp_path, "").parent
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to("loop")
    (folder / "binary").write_bytes(b"\xff\xfe")
    (folder / "large").write_bytes(b"a" * 1_000_001)
    for trap in ("pipe", "loop", "binary", "large", "/dev/zero", "../../../../../dev/zero", "~nobody-at-all/x"):
        named = f"{key}'{trap}'" if key.startswith("env") else key
        text = f"services: {{web: {{image: 'a:1', {named}}}}}\n"
        text += "".join(f"{kind}: {{s: {{file: '{trap}'}}}}\n" for kind in ("secrets", "configs"))
        with pytest.raises(
            SpecError, match="no ordinary file|cannot (be )?read|not UTF-8|larger than|home|No such file"
        ):
            read_compose(write(tmp_path, text), {}, root=tmp_path)


def test_variables_that_double_each_other_end(tmp_path: Path) -> None:
    lines = ["A0=xxxxxxxxxxxxxxxx", *(f"A{n}=$A{n - 1}$A{n - 1}" for n in range(1, 60))]
    write(tmp_path, "\n".join(lines), ".env")
    with pytest.raises(SpecError, match=r"\.env"):
        read_compose(write(tmp_path, f"{WEB}}}}}"), {}, root=tmp_path)
    environment = {"BIG": "x" * 900_000}
    text = "services: {web: {image: 'a:1', command: [" + ", ".join(["'$BIG'"] * 50) + "]}}"
    write(tmp_path, "", ".env")
    with pytest.raises(SpecError, match="grows too large"):
        read_compose(write(tmp_path, text), environment, root=tmp_path)


def test_a_broken_env_file_does_not_show_its_values(tmp_path: Path) -> None:
    write(tmp_path, "A=1\nthis is hunter22\n", "my.env")
    with pytest.raises(SpecError, match=r"services.web.env_file.0: .*my.env:2: not NAME=value") as caught:
        read_compose(write(tmp_path, f"{WEB}, env_file: my.env}}}}"), {}, root=tmp_path)
    assert "hunter22" not in caught.value.problem
