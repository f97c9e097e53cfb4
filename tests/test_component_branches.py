"""Two branches that each change components, merged by git: the records without help, shared files by mlox's driver."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from mlox.protocols import Completed
from mlox.stack import Components, Stack
from tests.git_stage import MLOX, git

pytestmark = pytest.mark.slow

DOCS = (Path(__file__).parents[1] / "docs/merge.md").read_text("utf-8")
PROJECT = '[project]\nname = "churn"\nversion = "0"\ndependencies = [\n    "rich>=13",\n]\n'
APP = "src/churn/api_serving/app.py"


class Branches:
    """A repository with a workspace; ``both`` are components that both branches have."""

    def __init__(
        self, root: Path, *both: str, requirements: tuple[str, str] | None = ("pyproject.toml", PROJECT)
    ) -> None:
        self.root = root
        self.requirements = requirements
        git("init", "-q", "-b", "main")
        Stack("churn", root).init()
        self.lay_out(root)
        add(root, *both)
        self.commit()

    def lay_out(self, root: Path) -> None:
        (root / "src/churn").mkdir(parents=True)
        (root / "src/churn/__init__.py").touch()
        if self.requirements is not None:
            (root / self.requirements[0]).write_text(self.requirements[1])

    def commit(self) -> None:
        git("add", "-A")
        git("commit", "-q", "-m", "change")

    def with_driver(self) -> Branches:
        """As the docs tell to install it, with the mlox that is tested."""
        name, driver = re.findall(r"^git config --global (merge\.mlox\.\S+) \"(.*)\"$", DOCS, re.MULTILINE)[1]
        git("config", name, driver.replace("mlox ", f"{MLOX} ", 1))
        (block,) = re.findall(r"```\n((?:.* merge=mlox\n)+)```", DOCS)
        (self.root / ".gitattributes").write_text(block)
        self.commit()
        return self

    def part(self, left: tuple[str, ...], right: tuple[str, ...]) -> None:
        """One branch adds ``left``, the other ``right``."""
        git("checkout", "-q", "-b", "theirs")
        add(self.root, *right)
        self.commit()
        git("checkout", "-q", "main")
        add(self.root, *left)
        self.commit()

    def merge(self, code: int = 0) -> set[str]:
        """Merge the other branch; the files that are left in conflict."""
        git("merge", "--no-edit", "theirs", code=code)
        return set(git("diff", "--name-only", "--diff-filter=U").split())

    def one_by_one(self, scratch: Path, *names: str) -> dict[str, bytes]:
        """What adding components one after the other gives."""
        root = scratch / self.root.name
        for path in ("mlox.yaml", ".mlox/.gitignore", ".mlox/.gitattributes", ".gitattributes"):
            if (self.root / path).exists():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(self.root / path, root / path)
        self.lay_out(root)
        add(root, *names)
        return contents(root)


def components_at(root: Path) -> Components:
    return Components(Stack(path=root), resolve=lambda _: Completed(0, "", ""))


def add(root: Path, *names: str) -> None:
    components = components_at(root)
    for name in names:
        components.add(components.template(name))


def contents(root: Path) -> dict[str, bytes]:
    paths = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    kept = (path for path in paths if path.parts[0] != ".git" and path.parts[:2] != (".mlox", "local"))
    return {path.as_posix(): (root / path).read_bytes() for path in kept}


def states(root: Path) -> dict[str, str]:
    return {row.name: row.state for row in components_at(root).rows()}


@pytest.fixture
def root(isolated: Path) -> Path:
    return isolated


def test_components_that_share_no_file_merge_without_help(root: Path, tmp_path: Path) -> None:
    branches = Branches(root)
    branches.part(("utility-framework",), ("data-processing",))
    assert branches.merge() == set()
    assert states(root) == {"data-processing": "clean", "utility-framework": "clean"}
    assert contents(root) == branches.one_by_one(tmp_path / "other", "data-processing", "utility-framework")


@pytest.mark.parametrize(
    ("both", "left", "right", "files"),
    [
        ((), ("feature-store",), ("data-processing",), {"pyproject.toml"}),
        (("api-serving",), ("rate-limiting",), ("caching",), {APP}),
        ((), ("rate-limiting",), ("caching",), {APP}),
    ],
)
def test_plain_git_merges_the_records_and_leaves_only_what_both_wrote_at_one_place(
    root: Path, both: tuple[str, ...], left: tuple[str, ...], right: tuple[str, ...], files: set[str]
) -> None:
    branches = Branches(root, *both)
    branches.part(left, right)
    assert branches.merge(code=1) == files


NONE = None
LINES = ("requirements.txt", "rich>=13\n")
TOML = ("pyproject.toml", PROJECT)


@pytest.mark.parametrize(
    ("both", "left", "right", "requirements"),
    [
        ((), ("feature-store",), ("data-processing",), TOML),
        ((), ("feature-store",), ("data-processing",), LINES),
        ((), ("feature-store",), ("data-processing",), NONE),
        (("api-serving",), ("rate-limiting",), ("caching",), TOML),
        (("api-serving",), ("caching",), ("rate-limiting",), TOML),
        ((), ("rate-limiting",), ("caching", "feature-store"), TOML),
        ((), ("caching",), ("rate-limiting",), NONE),
    ],
)
def test_with_the_driver_a_merge_is_what_adding_one_after_the_other_gives(
    root: Path,
    tmp_path: Path,
    both: tuple[str, ...],
    left: tuple[str, ...],
    right: tuple[str, ...],
    requirements: tuple[str, str] | None,
) -> None:
    branches = Branches(root, *both, requirements=requirements).with_driver()
    branches.part(left, right)
    assert branches.merge() == set()
    assert git("status", "--porcelain") == ""
    assert set(states(root).values()) == {"clean"}
    assert contents(root) == branches.one_by_one(tmp_path / "other", *both, *left, *right)


def test_the_users_own_lines_in_a_shared_file_stay(root: Path) -> None:
    branches = Branches(root, "api-serving").with_driver()
    branches.part(("rate-limiting",), ("caching",))
    app = root / APP
    app.write_text(app.read_text().replace("limit_requests(app)", "limit_requests(app)\napp.title = 'churn'"))
    branches.commit()
    assert branches.merge() == set()
    assert app.read_text().split("app = create_app()\n")[1].split() == [
        *("cache_responses(app)", "limit_requests(app)"),
        *("app.title", "=", "'churn'"),
    ]


def test_what_one_branch_removes_and_another_adds(root: Path, tmp_path: Path) -> None:
    branches = Branches(root, "api-serving", "caching").with_driver()
    before = (root / "mlox.yaml").read_bytes()
    git("checkout", "-q", "-b", "theirs")
    add(root, "rate-limiting")
    branches.commit()
    git("checkout", "-q", "main")
    components_at(root).remove("caching")
    branches.commit()
    assert branches.merge() == set()
    assert states(root) == {"api-serving": "clean", "rate-limiting": "clean"}
    wanted = branches.one_by_one(tmp_path / "other", "api-serving", "rate-limiting")
    assert contents(root)[APP].decode() == wanted[APP].decode()
    assert (root / "mlox.yaml").read_bytes() == before


def test_a_workspace_below_the_top_of_the_repository(root: Path) -> None:
    git("init", "-q", "-b", "main")
    inner = root / "services" / "churn"
    (inner / "src/churn").mkdir(parents=True)
    (inner / "src/churn/__init__.py").touch()
    (inner / "mlox.yaml").write_text("name: churn\nid: churn-1a2b\n")
    (root / ".gitattributes").write_text("*.py merge=mlox\n*.toml merge=mlox\n")
    git("config", "merge.mlox.driver", f"{MLOX} merge %O %A %B -o %A --path %P")
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    git("checkout", "-q", "-b", "theirs")
    add(inner, "caching")
    git("add", "-A")
    git("commit", "-q", "-m", "theirs")
    git("checkout", "-q", "main")
    add(inner, "rate-limiting")
    git("add", "-A")
    git("commit", "-q", "-m", "mine")
    git("merge", "--no-edit", "theirs")
    assert states(inner) == {"api-serving": "clean", "caching": "clean", "rate-limiting": "clean"}
