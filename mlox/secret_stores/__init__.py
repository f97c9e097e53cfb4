"""Where secrets are kept: one file a store, named by the table in ``mlox.plugins``."""
