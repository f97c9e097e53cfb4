"""Which texts look like the keys of known services, by the patterns of detect-secrets; no network is asked."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from detect_secrets.plugins.base import RegexBasedDetector

GUESSING = frozenset({"Secret Keyword", "Public IP (ipv4)"})
"""What the library finds by the words around it, or what is no secret."""

ALLOWED = "pragma: allowlist secret"
"""Where a person wrote this in a line, its shapes are no keys: as detect-secrets has it."""


class Shapes:
    r"""The patterns, as of https://github.com/Yelp/detect-secrets.

    Example:
        >>> list(Shapes().look("ok\nkey = 'AKIA" + "IOSFODNN7EXAMPLE'"))
        [(2, 'AWS Access Key')]
    """

    @staticmethod
    def installed() -> bool:
        """Whether the library is there: the extra ``scan`` brings it."""
        from importlib.util import find_spec

        return find_spec("detect_secrets") is not None

    def look(self, text: str) -> Iterator[tuple[int, str]]:
        """What stands in a text: the line, counted from 1, and the shape's name."""
        for detector in self._detectors:
            if next(iter(detector.analyze_string(text)), None) is None:
                continue
            for number, line in enumerate(text.splitlines(), start=1):
                if ALLOWED not in line and next(iter(detector.analyze_string(line)), None) is not None:
                    yield number, detector.secret_type

    @cached_property
    def _detectors(self) -> list[RegexBasedDetector]:
        from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
        from detect_secrets.plugins.base import RegexBasedDetector

        classes: dict[str, type] = get_mapping_from_secret_type_to_class()
        kinds = [kind for name, kind in classes.items() if name not in GUESSING]
        return [kind() for kind in kinds if issubclass(kind, RegexBasedDetector)]
