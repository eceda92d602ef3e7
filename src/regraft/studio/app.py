"""The studio as an ASGI application."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from regraft.core import InputError
from regraft.studio.guard import Door, Guard
from regraft.studio.refusals import RefusedError
from regraft.studio.routes import jobs, predictions, scenarios, tasks
from regraft.studio.studio import Config, Studio

log = logging.getLogger("regraft.studio")


def create_app(config: Config, door: Door) -> FastAPI:
    """The application; its workers begin and end with it."""
    studio = Studio(config)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        studio.sessions.forget_old()
        await studio.desk.start()
        await studio.runner.start(studio.sessions)
        # Loading libraries is work: the worker that answers pages comes first, the others when it is ready.
        warming = asyncio.create_task(_warmed(studio))
        yield
        warming.cancel()
        await studio.runner.end()
        await studio.desk.end()

    app = FastAPI(title="regraft studio", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.studio = studio
    for group in (tasks, jobs, predictions, scenarios):
        app.include_router(group.router)
    pages = Path(str(files("regraft.studio") / "pages"))

    @app.get("/")
    async def page() -> FileResponse:
        return FileResponse(pages / "index.html", headers={"cache-control": "no-cache"})

    app.mount("/pages", StaticFiles(directory=pages), name="pages")
    _say_errors(app)
    app.add_middleware(Guard, door=door, sessions=studio.sessions)
    return app


async def _warmed(studio: Studio) -> None:
    """Workers made ready one after another."""
    await studio.desk.ready()
    await studio.runner.warm()


def _say_errors(app: FastAPI) -> None:
    """Every error becomes one sentence under `error`."""

    @app.exception_handler(InputError)
    async def refused(_request: Request, error: InputError) -> JSONResponse:
        status = error.status if isinstance(error, RefusedError) else 422
        return JSONResponse({"error": str(error)}, status)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"] if part != "body")
        return JSONResponse({"error": f"{place or 'the request'}: {first['msg']}"}, 422)

    @app.exception_handler(HTTPException)
    async def unknown(_request: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": str(error.detail)}, error.status_code)

    @app.exception_handler(Exception)
    async def failed(_request: Request, error: Exception) -> JSONResponse:
        log.exception("a request failed", exc_info=error)
        return JSONResponse({"error": "something went wrong here; the studio's log has the details"}, 500)
