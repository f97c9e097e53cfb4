"""Units as plain processes of this machine, each stack under a supervisor of its own; no container engine needed."""

from mlox.backends.native.backend import NativeBackend

__all__ = ["NativeBackend"]
