"""Units as containers of an engine that speaks Docker's API; docker-py is loaded when the engine is first asked."""
