"""Values as HTML: what nobody looks at stays as it was saved, what somebody looks at can be read by everybody."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

import mlox
from mlox.plan import Plan
from mlox.testing import FakeBackend
from mlox.values import ComponentRow, Deployed, Notice, Planned, ServiceRow, Status, Table, Value
from mlox.values.differences import Differences, WouldWrite
from mlox.values.stats import ServiceStats, Stats
from mlox_jupyter.diffs import counted
from mlox_jupyter.views import facts_view, view

BAD = "<script>alert('&')</script>"
REDIS = ServiceRow(
    "redis", "redis", "local", "native", "running", url="http://127.0.0.1:6379", version="7", note=f"{BAD} mlox up"
)
FEATURES = ComponentRow("features", "1.0", "edited", 6, ("a.py",), f"newer: {BAD}")
DIFF = ("--- a/a.py", "+++ b/a.py", "@@ -1,2 +1,3 @@", " same", f"-gone {BAD}", "+come", "++more")
VALUES: dict[str, Value] = {
    "status": Status("demo", (REDIS,), 1, ("a note",)),
    "status with components": Status("demo", (REDIS,), components=(FEATURES,)),
    "status of components": Status("demo", (), components=(FEATURES,)),
    "status of nothing": Status("demo", ()),
    "deployed": Deployed(Plan("demo-0001"), (REDIS,), (BAD,)),
    "stats": Stats((ServiceStats("redis", "running", note=BAD),)),
    "table": Table(("name", "link"), ((BAD, "http://localhost:5000/x"),), {}, notes=(BAD,)),
    "notice": Notice((BAD, "{mlox} up"), {}),
    "text": Notice((BAD,), {}, verbatim=True),
    "differences": Differences({f"{BAD}.py": DIFF, "same.py": ()}, (BAD,), ("after",)),
    "dry run": WouldWrite((BAD,), {}, files={f"{BAD}.py": DIFF}),
}


class Tags(HTMLParser):
    """Every tag of a page with what stands in it; tags have to be closed in the order in which they were opened."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def named(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag in tags]


@pytest.fixture
def planned(machine: FakeBackend) -> Planned:
    """The plan of a stack with a redis, beside which something runs that is not written."""
    del machine
    stack = mlox.Stack("demo")
    stack.add("mlflow")
    stack.up()
    stack.workspace.drop_service("mlflow")
    stack.add("redis")
    return Planned(stack.plan(), notes=("nothing was changed",))


def test_where_nobody_looks_it_is_as_saved_notebooks_have_it() -> None:
    left = 'style="text-align:left"'
    cells = "".join(f"<td {left}>{text}</td>" for text in ("stopped", "local", "3.17.2"))
    head = "".join(f'<th scope="col" {left}>{name}</th>' for name in ("name", "status", "server", "version"))
    row = ServiceRow("mlflow", "mlflow", "local", "native", "stopped", version="3.17.2", url="http://127.0.0.1:1")
    assert view(Deployed(Plan("demo-0001"), (row,), ("data < kept",)), detail=False) == (
        '<div class="mlox"><div style="white-space:pre-wrap">nothing to do</div>'
        f"<table><thead><tr>{head}</tr></thead>"
        f'<tbody><tr><th scope="row" {left}>mlflow</th>{cells}</tr></tbody></table>'
        '<div style="white-space:pre-wrap">data &lt; kept</div></div>'
    )
    differences = Differences({"a.py": DIFF[:2], "b.py": ("--- a/b.py", "+++ b/b.py", "@@ -1 +1 @@", "-x", " y", "+z")})
    assert view(differences, detail=False) == (
        '<div class="mlox"><pre class="mlox-diff" style="overflow-x:auto"><span style="font-weight:bold">--- a/a.py'
        '</span>\n<span style="font-weight:bold">+++ b/a.py</span></pre><pre class="mlox-diff" style="overflow-x:auto">'
        '<span style="font-weight:bold">--- a/b.py</span>\n<span style="font-weight:bold">+++ b/b.py</span>\n'
        '<span style="opacity:.65">@@ -1 +1 @@</span>\n<span style="background:rgba(248,81,73,.25)">-x</span>\n y\n'
        '<span style="background:rgba(46,160,67,.25)">+z</span></pre></div>'
    )
    assert view(VALUES["dry run"], detail=False) == view(Notice((BAD,), {}), detail=False)


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("detail", [True, False])
def test_all_text_is_escaped_and_no_colour_of_a_text_is_fixed(name: str, detail: bool) -> None:
    page = view(VALUES[name], detail=detail)
    tags = Tags(page)
    assert tags.named("script") == []
    for look in (str(attributes.get("style") or "") for _, attributes in tags.found):
        assert "color:" not in look
        assert all(colour.startswith("rgba(") for colour in re.findall(r"background:([^;]*)", look))


@pytest.mark.parametrize("name", VALUES)
def test_in_detail_it_is_named_and_reached_by_the_keyboard(name: str) -> None:
    tags = Tags(view(VALUES[name], detail=True))
    assert len(tags.named("caption")) == len(tags.named("table"))
    assert all(attributes.get("scope") in ("row", "col") for attributes in tags.named("th"))
    scrolling = [one for one in tags.named("div", "pre", "table") if "overflow-x" in str(one.get("style"))]
    handles = [one for one in tags.named("div") if one.get("tabindex") == "0"]
    assert len(scrolling) == len(handles) == len(tags.named("table"))
    assert all(one["role"] == "group" and one["aria-label"] for one in [*handles, *tags.named("pre")] if "role" in one)
    assert len(tags.named("summary")) == len(tags.named("details"))


def test_a_status_has_each_cell_below_its_heading() -> None:
    page = view(VALUES["status with components"], detail=True)
    heads, *rows = (re.sub(r"<[^>]+>", "|", row) for row in re.findall(r"<tr>.*?</tr>", page))
    heading = [cell for cell in heads.split("|") if cell]
    assert heading == ["name", "kind", "status", "server", "version", "address", "note"]
    assert [cell for cell in rows[1].split("|") if cell][:4] == ["features", "component", "edited", "1.0"]
    assert "6 files; newer" in rows[1]
    assert '<a href="http://127.0.0.1:6379"' in page
    assert "Services and components of demo</caption>" in page


def test_differences_are_blocks_by_file() -> None:
    page = view(VALUES["differences"], detail=True)
    tags = Tags(page)
    assert [one for one in tags.named("details") if "open" in one] == tags.named("details")
    assert len(tags.named("details")) == 1
    assert ".py (+2 -1)</summary>" in page
    assert (len(tags.named("ins")), len(tags.named("del"))) == (2, 1)
    assert counted(DIFF[:2]) == "+0 -0"


def test_what_would_be_written_is_told_and_each_file_can_be_opened() -> None:
    tags = Tags(view(VALUES["dry run"], detail=True))
    assert tags.named("details") == [{"class": "mlox-file"}]
    assert len(tags.named("ins")) == 2


def test_a_plan_says_what_else_runs_and_how_it_is_carried_out(planned: Planned) -> None:
    page = view(planned, detail=True)
    assert "Plan of 1 action</caption>" in page
    assert "mlflow runs but is not in mlox.yaml (stop it: %mlox up --prune)" in page
    assert f"nothing was changed\ncarry it out: %mlox up --plan {planned.plan.digest}</div>" in page
    assert planned.plan.digest not in view(planned, detail=False)


def test_facts_have_headers_of_rows() -> None:
    tags = Tags(facts_view((("state", BAD), ("add it", "{mlox} add x")), "Component x"))
    headers: list[dict[str, Any]] = list(tags.named("th"))
    assert [one["scope"] for one in headers] == ["row", "row"]
    assert tags.named("thead", "script") == []
    assert "%mlox add x" in facts_view((("add it", "{mlox} add x"),), "Component x")
