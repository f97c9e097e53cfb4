"""InfluxDB 2 from its Go module: its query language is Rust, which a pkg-config of its maker's compiles by cargo."""

from __future__ import annotations

from tests.live.engine.go import Helper, Program

# It asks for Rust 1.72 by name, and takes warnings of later ones for errors.
LENIENT = '#!/bin/sh\nexec "$@" --cap-lints warn\n'

INFLUXD = Program(
    "influxd",
    "github.com/influxdata/influxdb/v2",
    "v2.7.12",
    package="/cmd/influxd",
    version_variable="main.version",
    replace="github.com/nats-io/nats-streaming-server v0.11.2 => "
    "github.com/influxdata/nats-streaming-server v0.11.3-0.20201112040610-c277f7560803",
    tags="sqlite_foreign_keys,sqlite_json",
    cgo=True,
    environment={"RUSTUP_TOOLCHAIN": "stable", "RUSTC_WORKSPACE_WRAPPER": "$HELPERS/rustc-lenient"},
    helpers=(
        Helper("pkg-config", Program("flux-pkg-config", "github.com/influxdata/pkg-config", "v0.2.14")),
        Helper("rustc-lenient", script=LENIENT),
    ),
)
"""Without the page: what it is made of is no part of the module (the tag ``assets``)."""
