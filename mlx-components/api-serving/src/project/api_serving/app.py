"""The application that is served: ``uvicorn <package>.api_serving.app:app``. Add to it below."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp

from .health import router as health
from .model import Loader, load_model, loader_of
from .predictions import router as predictions
from .problems import tell_problems
from .request_ids import RequestIds
from .settings import Settings


class Service(FastAPI):
    """An application whose request ids stand around all middleware, in whatever order that is added."""

    def build_middleware_stack(self) -> ASGIApp:
        """Called once, with the first request."""
        return RequestIds(super().build_middleware_stack())


def create_app(settings: Settings | None = None, loader: Loader | None = None) -> Service:
    """An application that loads its model when it starts, and not before: by ``loader``, else as ``settings`` say."""
    given = settings

    @asynccontextmanager
    async def lifespan(service: FastAPI) -> AsyncIterator[None]:
        service.state.settings = given or Settings.from_environment()
        reference = service.state.settings.model
        load = loader or (loader_of(reference) if reference else None)
        # A model that cannot be loaded ends the process: whoever started it sees why, and the old one goes on.
        service.state.model = None if load is None else await run_in_threadpool(load_model, load)
        yield
        service.state.model = None

    service = Service(title=__name__.partition(".")[0], lifespan=lifespan)
    tell_problems(service)
    service.include_router(health)
    service.include_router(predictions)
    return service


app = create_app()
