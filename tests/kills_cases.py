"""What is done to components, one change at a time, for tests that end it half-way."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.component_stage import INIT, LOUDER, WORDS, WORDS_PATH, Shop, newer, offer, template_files
from tests.layer_stage import layer, serving
from tests.settings_components import USERS_ENV, USERS_YAML, offers


@dataclass(frozen=True, slots=True)
class Case:
    """One change of components: what is there before, and what is done then."""

    lay_out: Callable[[Shop], object]
    act: Callable[[Shop], object]


def edited(shop: Shop, old: str, new: str) -> None:
    """The user changes what was injected."""
    text = shop.read(WORDS_PATH)
    assert old in text
    shop.put(WORDS_PATH, text.replace(old, new))


def forget(shop: Shop) -> None:
    """Leave nothing that could be taken back but what comes next."""
    shutil.rmtree(shop.root / ".mlox/local/undo")


def merging(shop: Shop) -> None:
    """A newer version with another file and another requirement, and an edit of the user's beside what it changes."""
    shop.add()
    edited(shop, "TIMES: int = 1", "TIMES: int = 2")
    files = template_files(version="1.1", dependencies='["tabulate>=0.9", "humanize>=4"]')
    manifest = files["component.yaml"].replace(b"words.py]", b"words.py, more.py]")
    code = {"src/project/greeting/words.py": LOUDER, "src/project/greeting/more.py": b"MORE = 1\n"}
    offer(shop.root, {**files, **code, "component.yaml": manifest, "src/project/greeting/__init__.py": INIT + b"\n"})


def conflicting(shop: Shop) -> None:
    """A newer version that changes what the user changed, and what he deleted."""
    shop.add()
    edited(shop, "Hello", "Good day")
    (shop.root / "tests/test_greeting.py").unlink()
    newer(shop)
    offer(shop.root, {"tests/test_greeting.py": b"from project.greeting import greet\n\nassert greet\n"})


def needing(shop: Shop) -> None:
    """A newer version that needs a component which is not there."""
    offer(shop.root, serving(), "serving")
    shop.add()
    newer(shop)
    manifest = shop.root / "mlx-components/greeting/component.yaml"
    manifest.write_bytes(manifest.read_bytes() + b'components: {serving: ">=1.0"}\n')


def layers(shop: Shop, *added: str) -> None:
    """A registry with components that extend one module, and some of them."""
    offer(shop.root, serving(), "serving")
    for name in ("buffering", "limits", "tracing"):
        offer(shop.root, layer(name), name)
    for name in added:
        shop.add(name)


def setting(shop: Shop, *, version: str = "1.0", size: int = 10) -> None:
    """A user's files, and a component with settings for some of them and for one that is not there."""
    shop.put("config/app.yaml", USERS_YAML)
    shop.put(".env.example", USERS_ENV)
    yaml, toml = f"cache: {{size: {size}, kinds: [a]}}\n", f"[tool.cache]\nsize = {size}\n"
    offers(shop, "cache", "{CACHE_URL: where it is}", version, yaml=yaml, toml=toml, json='{"cache": 1}')


def set_otherwise(shop: Shop) -> None:
    """A component with settings that both the user and a newer version changed."""
    setting(shop)
    shop.add("cache")
    yaml, project = (shop.read(path).replace("10", "11") for path in ("config/app.yaml", "pyproject.toml"))
    setting(shop, version="1.1", size=20)
    shop.put("config/app.yaml", yaml)
    shop.put("pyproject.toml", project)


def then(*steps: Callable[[Shop], object]) -> Callable[[Shop], None]:
    """One step after the other."""

    def lay_out(shop: Shop) -> None:
        for step in steps:
            step(shop)

    return lay_out


def resolving(side: Literal["mine", "theirs"], text: bytes | None = None) -> Callable[[Shop], object]:
    written = None if text is None else {WORDS_PATH: text}
    return lambda shop: shop.changes.resolve("greeting", side, written)


def update(shop: Shop) -> object:
    """Bring it to the newest version, which may be there already."""
    return shop.changes.update("greeting", shop.template())


def undo(shop: Shop) -> object:
    return shop.changes.undo()


def remove(shop: Shop) -> object:
    return shop.remove()


CASES: dict[str, Case] = {
    "add": Case(lambda _: None, Shop.add),
    "add with what it needs": Case(layers, lambda shop: shop.add("limits")),
    "add a second to one file": Case(
        lambda shop: layers(shop, "serving", "buffering", "tracing"), lambda shop: shop.add("limits")
    ),
    "update": Case(then(Shop.add, newer), update),
    "update, merging": Case(merging, update),
    "update, conflicting": Case(conflicting, update),
    "update with what it needs": Case(needing, update),
    "resolve, mine": Case(then(conflicting, Shop.update), resolving("mine")),
    "resolve, theirs": Case(then(conflicting, Shop.update), resolving("theirs")),
    "resolve, written": Case(then(conflicting, Shop.update), resolving("mine", WORDS + b"\nMINE = 1\n")),
    "undo an add": Case(Shop.add, undo),
    "undo an update": Case(then(merging, forget, Shop.update), undo),
    "undo a remove": Case(then(Shop.add, forget, remove), undo),
    "add with settings": Case(setting, lambda shop: shop.add("cache")),
    "update settings, conflicting": Case(
        set_otherwise, lambda shop: shop.changes.update("cache", shop.template("cache"))
    ),
    "resolve settings, theirs": Case(
        then(set_otherwise, lambda shop: shop.update("cache")), lambda shop: shop.changes.resolve("cache", "theirs")
    ),
    "remove with settings": Case(then(setting, lambda shop: shop.add("cache")), lambda shop: shop.remove("cache")),
    "remove": Case(Shop.add, remove),
    "remove an edited one": Case(then(Shop.add, lambda shop: edited(shop, "Hello", "Good day")), remove),
    "remove from a shared file": Case(
        lambda shop: layers(shop, "serving", "buffering", "limits", "tracing"), lambda shop: shop.remove("limits")
    ),
    "remove, keeping": Case(Shop.add, lambda shop: shop.remove(keep=True)),
}
