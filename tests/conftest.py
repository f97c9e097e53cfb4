"""How properties are tested: without a deadline, since a machine that is busy is no defect."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("mlox", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("mlox")
