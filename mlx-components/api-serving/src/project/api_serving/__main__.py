"""``python -m <package>.api_serving``: serve on the address and port of the environment."""

from __future__ import annotations

import uvicorn

from .app import app
from .settings import Settings

if __name__ == "__main__":
    settings = Settings.from_environment()
    uvicorn.run(app, host=settings.host, port=settings.port)
