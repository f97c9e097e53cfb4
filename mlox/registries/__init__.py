"""Where components come from. Each module is an adapter, found through :mod:`mlox.plugins`."""
