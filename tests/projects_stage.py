"""A workspace for tests of components with several projects in it."""

from __future__ import annotations

import pytest

from tests.component_stage import Shop, offer, template_files

API = '[project]\nname = "api"\nversion = "1"\ndependencies = ["rich"]  # api\n'
WEB = '[project]\nname = "web"\nversion = "1"\ndependencies = [\n  "flask",\n]\n'
OTHER = "other"


@pytest.fixture
def monorepo(shop: Shop) -> Shop:
    """A workspace with two projects and nothing at the top, whose registry has two components."""
    shop.put("services/api/pyproject.toml", API)
    shop.put("services/api/src/api/__init__.py", "")
    shop.put("services/web/pyproject.toml", WEB)
    shop.put("services/web/src/web/__init__.py", "")
    offer(shop.root, template_files(OTHER), OTHER)
    return shop
