"""Grafana: a dashboard that a client writes, beside that of the stack, and a query that its source of data answers."""

from tests.live.catalog.case import Case
from tests.live.engine.images import PROMETHEUS

WRITE = """
import mlox
client = mlox.get("grafana").client()
client.dashboard.update_dashboard({"dashboard": {"uid": "churn", "title": "churn ü", "panels": []}, "overwrite": True})
"""
READ = """
import mlox
client = mlox.get("grafana").client()
found = [client.dashboard.get_dashboard(uid)["dashboard"]["title"] for uid in ("churn", "stack")]
source = client.datasource.get_datasource_by_uid("stack")
print(found, source["type"], source["readOnly"], client.datasource.health("stack")["status"])
"""
ABSENT = (
    "Not on the test machines: Debian 12 has no package of it (only dashboards for it); the Go proxy answers 403 for "
    "github.com/grafana/grafana but for versions from before modules, such as 6.1.6 of 2019 without a built web page; "
    "neither PyPI nor npm has it under its own name or grafana-server. Its unit is in tests/plans."
)

CASE = Case(
    WRITE,
    READ,
    packages=("grafana-client==5.1.4",),
    images={"prometheus": PROMETHEUS, "grafana": "docker.io/grafana/grafana:12.4.0"},
    needs=("prometheus",),
    absent={"native": ABSENT, "docker": f"{ABSENT} An image of it would need the program."},
)
