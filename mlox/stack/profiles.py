"""What ``--profile NAME`` changes: options and servers, laid over what is written. Pure."""

from __future__ import annotations

from mlox.errors import UnknownNameError
from mlox.specs import StackSpec


def with_profile(stack: StackSpec, profile: str | None) -> StackSpec:
    """The stack as it is with a profile; without one, as it is.

    Raises:
        UnknownNameError: there is no such profile, or it names a service that the stack has not.
    """
    if profile is None:
        return stack
    if profile not in stack.profiles:
        raise UnknownNameError.among("profile", profile, stack.profiles, where="mlox.yaml: ")
    over = stack.profiles[profile]
    for name in (*over.options, *over.servers):
        if name not in stack.services:
            raise UnknownNameError.among("service", name, stack.services, where=f"mlox.yaml: profiles.{profile}: ")
    services = {
        name: service.model_copy(
            update={
                "options": {**service.options, **over.options.get(name, {})},
                "server": over.servers.get(name, service.server),
            }
        )
        for name, service in stack.services.items()
    }
    return stack.model_copy(update={"services": services})
