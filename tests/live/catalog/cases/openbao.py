"""OpenBao: a secret in two versions, by a token that may do nothing else."""

from tests.live.catalog.case import Case

WRITE = """
import hvac, mlox
client = mlox.get("openbao").client()
client.secrets.kv.v2.create_or_update_secret("churn/bigquery", {"user": "ü ?#&", "key": "one"})
client.secrets.kv.v2.create_or_update_secret("churn/bigquery", {"user": "ü ?#&", "key": "two"})
assert client.lookup_token()["data"]["policies"] == ["clients", "default"]
try:
    client.sys.list_mounted_secrets_engines()
except hvac.exceptions.Forbidden:
    pass
else:
    raise AssertionError("clients may do more than they should")
"""
READ = """
import mlox
client = mlox.get("openbao").client()
kept = [client.secrets.kv.v2.read_secret_version("churn/bigquery", version=n)["data"]["data"] for n in (1, 2)]
print(kept, client.sys.is_sealed())
"""
ABSENT = (
    "Not on the test machines: the Go proxy answers 403 for every version of github.com/openbao/openbao and of its /v2 "
    "(tags, branches and commits alike; its api/v2 and sdk/v2 are there), and Debian 12 has no package of it. Its unit "
    "is in tests/plans."
)

CASE = Case(
    WRITE,
    READ,
    packages=("hvac==2.4.0",),
    images={"openbao": "docker.io/openbao/openbao:2.5.3"},
    absent={"native": ABSENT, "docker": f"{ABSENT} An image of it would need the program."},
)
