"""How machines are reached: one module a transport, each an implementation of :class:`mlox.protocols.Transport`."""
