"""What has to run: from what is written, the catalog, what runs, and what servers are, to rendered units. Pure."""

from mlox.resolve.addresses import ClientTexts, client_texts, port_url
from mlox.resolve.inputs import build_contexts
from mlox.resolve.options import check_options, read_option
from mlox.resolve.placing import candidate_ports, check_sum, own_program, programs
from mlox.resolve.rendering import resolve
from mlox.resolve.versions import apart, is_newer, major
from mlox.resolve.wiring import could_use, decide_needs, order, with_providers
from mlox.resolve.world import World, lock_key

__all__ = [
    "ClientTexts",
    "World",
    "apart",
    "build_contexts",
    "candidate_ports",
    "check_options",
    "check_sum",
    "client_texts",
    "could_use",
    "decide_needs",
    "is_newer",
    "lock_key",
    "major",
    "order",
    "own_program",
    "port_url",
    "programs",
    "read_option",
    "resolve",
    "with_providers",
]
