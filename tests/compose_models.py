"""Compose files by chance, for properties: services with most of what Compose knows, as their author would write it."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Strategy = st.SearchStrategy[Any]

TEXT = st.text(st.sampled_from("ab1 $%'\"{}:#-\\é\n\t"), max_size=12).map(lambda text: text.replace("$", "$$"))
WORD = st.text(st.sampled_from("abcxyz019_-"), min_size=1, max_size=8)
PASSWORD = st.text(st.sampled_from("abcXYZ019@/$ '\"é"), min_size=6, max_size=14).map(lambda t: t.replace("$", "$$"))
VARIABLE = st.sampled_from(["A", "LOG_LEVEL", "DB_PASSWORD", "API_TOKEN", "PGHOST", "DATABASE_URL"])
PATH = WORD.map(lambda word: f"/{word}")
URL = st.builds(lambda user, word: f"postgres://{user}:{word}@db:5432/x", WORD, WORD)
SECONDS = st.sampled_from(["5s", "1m30s", "500ms", "2h"])
NAMES = ("db", "web", "my_job", "Cache", "x-1")


def some(required: dict[str, Strategy], optional: dict[str, Strategy]) -> Strategy:
    return st.fixed_dictionaries(required, optional=optional)


PORT = st.one_of(
    st.integers(1, 60000),
    st.builds(lambda host, inside: f"{host}:{inside}/udp", st.integers(1, 60000), st.integers(1, 60000)),
    some({"target": st.integers(1, 60000)}, {"published": st.integers(1, 60000).map(str), "name": st.just("http")}),
)
MOUNT = st.one_of(
    PATH,
    st.builds(lambda path: f"data:{path}", PATH),
    st.builds(lambda word, path: f"./{word}:{path}:ro", WORD, PATH),
    some({"type": st.just("tmpfs"), "target": PATH}, {"tmpfs": st.just({"size": "1m", "mode": "1777"})}),
    some({"type": st.just("volume"), "source": st.just("kept"), "target": PATH}, {"read_only": st.just(True)}),
    some({"type": st.just("bind"), "source": st.just("/srv"), "target": PATH}, {"bind": st.just({"selinux": "z"})}),
)
CHECK = some(
    {"test": st.one_of(TEXT.filter(bool), st.lists(TEXT, min_size=1, max_size=2).map(lambda words: ["CMD", *words]))},
    {"interval": SECONDS, "timeout": SECONDS, "retries": st.integers(1, 9), "start_period": SECONDS},
)
WORDS = st.lists(TEXT, min_size=1, max_size=3)
FLAG = st.booleans()
SERVICE = some(
    {"image": st.sampled_from(["a", "redis:7", "r.example:5000/x/y:1.2", "a@sha256:aa"])},
    {
        "command": WORDS.filter(lambda words: not words[0].startswith("-")),
        "entrypoint": WORDS,
        "environment": st.dictionaries(
            VARIABLE, st.one_of(TEXT, PASSWORD, URL, st.integers(-9, 10**9), FLAG), max_size=4
        ),
        "ports": st.lists(PORT, max_size=4, unique_by=str),
        "volumes": st.lists(MOUNT, max_size=4, unique_by=str),
        "networks": st.sampled_from([["front"], ["front", "back"], {"back": {"aliases": ["b", "c"]}}]),
        "healthcheck": CHECK,
        "restart": st.sampled_from(["no", "always", "on-failure:3", "unless-stopped"]),
        "labels": st.dictionaries(WORD, TEXT, max_size=2),
        "user": WORD,
        "working_dir": PATH,
        "container_name": st.sampled_from(["one", "two"]),
        "hostname": WORD,
        "stop_signal": st.just("SIGINT"),
        "stop_grace_period": SECONDS,
        "cap_add": st.just(["NET_ADMIN"]),
        "extra_hosts": st.just({"h": "10.0.0.1"}),
        "ulimits": st.just({"nofile": {"soft": 1, "hard": 2}, "nproc": 3}),
        "logging": st.just({"driver": "json-file", "options": {"max-size": "1m"}}),
        "deploy": st.just({"resources": {"limits": {"cpus": "0.5", "memory": "64m"}}}),
        "mem_limit": st.sampled_from(["64m", 67108864]),
        "shm_size": st.just("1g"),
        "init": FLAG,
        "read_only": FLAG,
        "privileged": FLAG,
        "tmpfs": st.just(["/run"]),
        "sysctls": st.just({"a.b": 1}),
        "expose": st.just([80]),
        "configs": st.just(["app", {"source": "app", "target": "/etc/app", "mode": "0400"}]),
        "secrets": st.just(["token"]),
        "gpus": st.just("all"),
        "build": st.just({"context": "./ctx", "args": {"V": "1"}}),
        "pid": st.just("host"),
    },
)


@st.composite
def compose_models(draw: st.DrawFn) -> dict[str, Any]:
    """A compose file as plain data; services wait for those before them only."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    services: dict[str, Any] = {}
    for index, name in enumerate(names):
        services[name] = draw(SERVICE)
        if index and draw(FLAG):
            conditions = st.sampled_from(["service_started", "service_healthy", "service_completed_successfully"])
            services[name]["depends_on"] = {names[index - 1]: {"condition": draw(conditions)}}
        if index and draw(FLAG):
            services[name]["links"] = [f"{names[0]}:{draw(WORD)}"]
    return {
        "services": services,
        "volumes": {"data": {}, "kept": {"external": True}},
        "networks": {"front": {}, "back": {}},
        "configs": {"app": {"content": draw(TEXT)}},
        "secrets": {"token": {"environment": "THE_TOKEN"}},
    }
