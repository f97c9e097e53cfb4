"""Ollama from its Go module, for processors alone: the C++ of what runs models is part of it, and compiled by cgo.

A Go module leaves out folders named ``vendor``, and with them three headers: Debian has two (nlohmann-json3-dev,
libstb-dev), another module the third.
"""

from __future__ import annotations

from tests.live.engine.go import Helper, Program

OLLAMA = Program(
    "ollama",
    "github.com/ollama/ollama",
    "v0.17.4",
    version_variable="github.com/ollama/ollama/version.Version",
    cgo=True,
    environment={"CGO_CFLAGS": "-O2 -g0", "CGO_CXXFLAGS": "-O2 -g0 -I$HELPERS"},
    helpers=(Helper("miniaudio/miniaudio.h", module="github.com/gen2brain/malgo@v0.11.23", file="miniaudio.h"),),
)
