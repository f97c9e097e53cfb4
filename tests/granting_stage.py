"""A server with a database in memory that has roles, databases and passwords: who may log in is what counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlox.errors import ServiceError
from mlox.protocols import Emit, Health
from mlox.secret import Secret
from mlox.testing import FakeBackend
from mlox.units import Job, Unit, launch
from tests.test_plans import PROGRAMS

POSTGRES = {"service": "postgres", "version": "15.4"}
ON_POSTGRES = {"service": "mlflow", "version": "3.17.2", "needs": {"database": "postgres", "artifacts": "embedded"}}
SERVICES: dict[str, Any] = {"mlflow": ON_POSTGRES, "postgres": POSTGRES}


@dataclass
class Database:
    """What a postgres holds: the superuser's password, for each role its password and rows, and copies of rows."""

    password: str
    roles: dict[str, str] = field(default_factory=dict)
    rows: dict[str, list[str]] = field(default_factory=dict)
    copies: dict[str, list[str]] = field(default_factory=dict)


class DatabaseBackend(FakeBackend):
    """Units of postgres have a :class:`Database`; units with a grant are healthy while they can log in.

    Attributes:
        databases: by service.
        refusing: services in which no command succeeds. ``refusing_once``: the next command fails.
        dying_once: units that die at their next start, by ``service.unit``.
        commands: environments of grants, revocations and rotations, in order.
    """

    def __init__(self) -> None:
        super().__init__(programs={**PROGRAMS, "postgres": "15.4"})
        self.databases: dict[str, Database] = {}
        self.refusing: set[str] = set()
        self.refusing_once = False
        self.dying_once: set[str] = set()
        self.commands: list[tuple[str, dict[str, str]]] = []
        self.logins: dict[str, dict[str, str]] = {}

    def start(self, unit: Unit, secrets: Mapping[str, Secret], emit: Emit) -> None:
        """Start it; a new postgres takes its password from its secret, a consumer logs in with its own."""
        self.dying.pop(unit.key, None)
        if unit.key in self.dying_once:
            self.dying_once.remove(unit.key)
            self.dying[unit.key] = "exit code 1"
        super().start(unit, secrets, emit)
        if unit.catalog == "postgres" and unit.service not in self.databases:
            self.databases[unit.service] = Database(secrets["password"].reveal())
        self.logins[unit.key] = launch(unit, secrets).environment
        for grant in unit.grants:
            self._migrate(self.databases[grant.provider].rows[grant.name], unit.version)

    def run_job(self, unit: Unit, job: Job, secrets: Mapping[str, Secret], emit: Emit) -> None:
        """Do to the database what the command of the catalog does."""
        super().run_job(unit, job, secrets, emit)
        environment = launch(unit, secrets).environment
        kind = job.name.partition("-")[0]
        if kind not in ("grant", "revoke", "rotate", "keep", "take", "forget"):
            return
        self.commands.append((job.name, environment))
        if unit.service in self.refusing or self.refusing_once:
            self.refusing_once = False
            raise ServiceError(f"job {job.name} of {unit.service} ended with exit code 1", hint="Mend that.")
        if kind == "rotate":
            self._rotate(unit.service, environment)
            return
        database, user = self.databases[unit.service], environment["MLOX_GRANT_USER"]
        if kind == "grant":
            database.roles[user] = environment["MLOX_GRANT_PASSWORD"]
            database.rows.setdefault(user, [])
        elif kind == "keep":
            database.copies.setdefault(user, list(database.rows[user]))
        elif kind == "take":
            database.rows[user] = database.copies.pop(user, database.rows[user])
        elif kind == "forget":
            database.copies.pop(user, None)
        else:
            for held in (database.roles, database.rows, database.copies):
                held.pop(user, None)

    def stop(self, stack: str, service: str, name: str, *, purge: bool, emit: Emit) -> None:
        """Stop it; with its data a database is gone."""
        super().stop(stack, service, name, purge=purge, emit=emit)
        if purge:
            self.databases.pop(service, None)

    def probe(self, unit: Unit) -> Health:
        """Healthy while the passwords are right."""
        health = super().probe(unit)
        if not health.healthy:
            return health
        wrong = [grant.name for grant in unit.grants if not self._may_log_in(unit, grant.provider, grant.name)]
        return Health(not wrong, f"no login as {', '.join(wrong)}" if wrong else "running", dead=bool(wrong))

    @staticmethod
    def _migrate(rows: list[str], version: str) -> None:
        """Change what is there, as another version does; an older one would not know what to do with it."""
        if rows and rows[-1] != version:
            assert rows[-1] < version, f"{version} cannot read what {rows[-1]} wrote"
            rows.append(version)

    def _may_log_in(self, unit: Unit, provider: str, user: str) -> bool:
        there = self.databases.get(provider)
        return there is not None and there.roles.get(user) == self.logins[unit.key]["PGPASSWORD"]

    def _rotate(self, service: str, environment: Mapping[str, str]) -> None:
        old, new = environment["MLOX_SECRET_OLD"], environment["MLOX_SECRET_NEW"]
        database = self.databases.get(service)
        if database is None or database.password == new:
            return
        if database.password != old:
            raise ServiceError(f"{service}: password authentication failed", hint="Mend that.")
        database.password = new
