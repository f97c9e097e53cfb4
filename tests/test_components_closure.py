"""Which components come along with one: versions, order, circles, and who is told to be in whose way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from mlox.components import Offer, Record, Template, closure
from mlox.components.closure import MAX_COMPONENTS
from mlox.components.records import FileRecord
from mlox.errors import SpecError, UnknownNameError
from mlox.specs import ComponentSpec
from mlox.specs.naming import file_stem, name_of_stem, split_version

Needs = Mapping[str, str]


def template(name: str, version: str, needs: Needs, *, namespace: str = "", extends: Sequence[str] = ()) -> Template:
    spec = ComponentSpec(
        name=name,
        version=version,
        summary="x",
        package=name.replace("-", "_"),
        imports="x",
        files=["__init__.py", "app.py"],
        components=dict(needs),
        extends=list(extends),
    )
    return Template(spec, {}, "here", namespace)


class Shelf:
    """What there is, as ``{"app": {"1.0": {what it needs}}}``; ``@acme/app`` is in a registry of its own."""

    def __init__(self, components: Mapping[str, Mapping[str, Needs]]) -> None:
        self.components = components
        self.loaded: list[str] = []

    def template(self, name: str, version: str) -> Template:
        namespace, _, own = name.rpartition("/")
        self.loaded.append(f"{name} {version}")
        return template(own, version, self.components[name][version], namespace=namespace)

    def __call__(self, name: str, by: Template) -> list[Offer]:
        whole = next((one for one in (name, f"{by.namespace}/{name}") if one in self.components), None)
        if whole is None:
            raise UnknownNameError.among("component", name, self.components)
        versions = sorted(self.components[whole], key=Version, reverse=True)
        return [Offer(whole, v, lambda v=v: self.template(whole, v)) for v in versions]  # type: ignore[misc]


def record(name: str, version: str, *modules: str) -> Record:
    files = {f"src/churn/{one}": FileRecord(base="0" * 64, template=f"src/project/{one}") for one in modules}
    package = f"churn.{name}"
    return Record(
        name=name, version=version, source="x", digest="0" * 64, package=package, into="src/churn", files=files
    )


def told(found: Sequence[Template]) -> list[str]:
    return [f"{one.name} {one.spec.version}" for one in found]


def test_what_is_needed_comes_first_and_each_once() -> None:
    shelf = Shelf({"app": {"1.0": {}}, "limits": {"1.0": {"app": ""}}, "cache": {"1.0": {"app": ">=1"}}})
    root = template("all", "1.0", {"limits": "", "cache": ""})
    assert told(closure(root, shelf, {})) == ["app 1.0", "cache 1.0", "limits 1.0", "all 1.0"]
    assert told(closure(template("one", "2.0", {}), shelf, {})) == ["one 2.0"]


def test_the_newest_version_that_all_admit_is_taken() -> None:
    shelf = Shelf({"app": {v: {} for v in ("1.0", "1.9", "1.10", "2.0")}, "limits": {"1.0": {"app": "<2"}}})
    assert told(closure(template("x", "1", {"app": ""}), shelf, {})) == ["app 2.0", "x 1"]
    found = closure(template("x", "1", {"app": ">=1.5", "limits": ""}), shelf, {})
    assert told(found) == ["app 1.10", "limits 1.0", "x 1"]


def test_an_older_version_of_who_asks_is_tried_before_giving_up() -> None:
    shelf = Shelf({"app": {"1.0": {}, "2.0": {}}, "limits": {"1.0": {"app": "<2"}, "2.0": {"app": ">=2"}}})
    there = {"app": record("app", "1.0")}
    assert told(closure(template("x", "1", {"limits": ""}), shelf, there)) == ["limits 1.0", "x 1"]
    with pytest.raises(SpecError) as caught:
        closure(template("x", "1", {"limits": ">=2"}), shelf, there)
    assert caught.value.problem == "limits 2.0 needs app >=2, and this repository has app 1.0"
    assert caught.value.hint == "Update it first: mlox update app."


def test_ranges_that_exclude_each_other_are_told_with_who_asked() -> None:
    shelf = Shelf({"app": {"1.0": {}, "2.0": {}}, "a": {"1.0": {"app": "<2"}}, "b": {"1.0": {"app": ">=2"}}})
    with pytest.raises(SpecError) as caught:
        closure(template("x", "1", {"a": "", "b": ""}), shelf, {})
    assert "a 1.0 needs app <2" in caught.value.problem
    assert "b 1.0 needs app >=2" in caught.value.problem
    with pytest.raises(SpecError, match=r"x 1 needs app >=3; there is: 2.0, 1.0"):
        closure(template("x", "1", {"app": ">=3"}), shelf, {})


def test_a_circle_is_told() -> None:
    shelf = Shelf({"a": {"1.0": {"b": ""}}, "b": {"1.0": {"c": ""}}, "c": {"1.0": {"a": ""}}})
    with pytest.raises(SpecError, match="in a circle: a → b → c → a"):
        closure(template("x", "1", {"a": ""}), shelf, {})
    with pytest.raises(SpecError, match="in a circle: x → x"):
        closure(template("x", "1", {"x": ""}), shelf, {})


def test_what_is_there_stays_and_brings_nothing() -> None:
    shelf = Shelf({"base": {"1.0": {}}, "app": {"1.0": {"base": ""}}})
    assert told(closure(template("x", "1", {"app": ""}), shelf, {"app": record("app", "1.0")})) == ["x 1"]


def test_what_is_there_counts_though_its_registry_is_gone() -> None:
    there = {"@acme/app": record("@acme/app", "1.0")}
    root = template("x", "1", {"app": ">=1"}, namespace="@acme")
    assert told(closure(root, Shelf({}), there)) == ["@acme/x 1"]
    with pytest.raises(UnknownNameError, match=r"@acme/x 1 needs app, and there is no such component"):
        closure(root, Shelf({}), {})


def test_a_name_is_looked_for_in_the_registry_of_who_asks() -> None:
    shelf = Shelf({"@acme/app": {"1.0": {}}, "base": {"1.0": {}}, "@other/x": {"1.0": {}}})
    root = template("x", "1", {"app": "", "base": "", "@other/x": ""}, namespace="@acme")
    assert told(closure(root, shelf, {})) == ["@other/x 1.0", "@acme/app 1.0", "base 1.0", "@acme/x 1"]


def test_an_update_does_not_count_what_is_there_of_itself() -> None:
    shelf = Shelf({"app": {"1.0": {}, "2.0": {}}})
    root = template("x", "2", {"app": ""})
    assert told(closure(root, shelf, {"x": record("x", "1")})) == ["app 2.0", "x 2"]


def test_only_what_is_tried_is_read() -> None:
    shelf = Shelf({"app": {f"{n}.0": {} for n in range(50)}})
    closure(template("x", "1", {"app": "<40"}), shelf, {})
    assert shelf.loaded == ["app 39.0"]


def test_nobody_adds_to_a_module_of_the_users_own() -> None:
    shelf = Shelf({"app": {"1.0": {}}})
    good = template("x", "1", {"app": ""}, extends=["app/app.py"])
    assert told(closure(good, shelf, {})) == ["app 1.0", "x 1"]
    assert told(closure(good, shelf, {"app": record("app", "1.0", "app/app.py")})) == ["x 1"]
    for bad in (
        template("x", "1", {"app": ""}, extends=["main.py"]),
        template("x", "1", {"app": ""}, extends=["app/other.py"]),
        template("x", "1", {}, extends=["app/app.py"]),
    ):
        with pytest.raises(SpecError, match="which none of its components has"):
            closure(bad, shelf, {})


def test_a_registry_that_never_ends_is_given_up() -> None:
    def look_up(name: str, by: Template) -> list[Offer]:
        assert name in by.spec.components
        following = f"a{int(name[1:]) + 1}"
        return [Offer(name, "1", lambda: template(name, "1", {following: ""}))]

    with pytest.raises(SpecError, match=f"more than {MAX_COMPONENTS} components"):
        closure(template("x", "1", {"a0": ""}), look_up, {})


def test_a_registry_in_which_nothing_fits_is_given_up_soon() -> None:
    names = [f"c{i:02}" for i in range(12)]
    versions = {str(v): {"last": f"=={v}.{i}"} for i, v in enumerate(range(1, 6))}
    shelf = Shelf(
        {**{name: {f"{v}": {"z": f">={v}"} for v in range(1, 6)} for name in names}, "z": {"9": versions["1"]}}
    )
    with pytest.raises((SpecError, UnknownNameError)):
        closure(template("x", "1", dict.fromkeys(names, "")), shelf, {})
    assert len(shelf.loaded) < 2000


RANGES = st.sampled_from(["", ">=2", "<3", "==1", ">=1,<3", ">=9"])
NAMES = ["a", "b", "c", "d", "e"]


@given(
    st.dictionaries(
        st.sampled_from(NAMES),
        st.dictionaries(
            st.sampled_from(["1", "2", "3"]), st.dictionaries(st.sampled_from(NAMES), RANGES, max_size=3), min_size=1
        ),
        min_size=1,
    )
)
def test_what_is_found_fits_together_and_what_is_refused_says_why(
    components: dict[str, dict[str, dict[str, str]]],
) -> None:
    root = template("root", "1", dict.fromkeys(components, ""))
    try:
        order = closure(root, Shelf(components), {})
    except (SpecError, UnknownNameError) as error:
        assert error.hint
        return
    versions = {one.name: one.spec.version for one in order}
    assert set(components) <= set(versions)
    for place, one in enumerate(order):
        for name, wanted in one.spec.components.items():
            assert versions[name] in SpecifierSet(wanted)
            assert name in {other.name for other in order[:place]}


@pytest.mark.parametrize("name", ["caching", "@acme/caching", "@my-team/rate-limiting"])
def test_names_are_written_in_files_and_on_lines(name: str) -> None:
    assert name_of_stem(file_stem(name)) == name
    assert set(file_stem(name)).isdisjoint("/@.")
    assert split_version(f"{name}@1.0") == (name, "1.0", True)
    assert split_version(name) == (name, "", False)
