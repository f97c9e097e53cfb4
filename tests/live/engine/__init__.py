"""A real Docker engine for live tests, where none runs: with a registry mirror, images, and docker compose.

``python -m tests.live.engine run -- COMMAND`` runs a command with ``DOCKER_HOST`` set: `running` finds the engine that
the docker CLI would use, else `keeping` starts one of its own, with what is in `daemons`, and `sweeping` looks that
nothing of it stays. `images` has an image pulled, or built from `tests/live/images` where no registry can be reached;
`go` builds programs that come by no package.
"""
