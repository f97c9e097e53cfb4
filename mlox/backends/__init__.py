"""What runs units: one package a back end, each an implementation of :class:`mlox.protocols.Backend`."""
