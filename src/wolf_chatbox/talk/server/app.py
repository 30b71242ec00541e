"""The app: all paths, the form of errors, the guard. `make_app(roster, limits)` is all that a test needs."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import PlainTextResponse, Response
from pydantic import BaseModel
from starlette.types import ASGIApp

from wolf_chatbox.talk.server import chat, completions, kobold, refusals
from wolf_chatbox.talk.server.chat import REFUSALS
from wolf_chatbox.talk.server.guard import Guard
from wolf_chatbox.talk.server.house import House, Limits, house_of
from wolf_chatbox.talk.server.metrics import Metrics
from wolf_chatbox.talk.server.place import LOOPBACK
from wolf_chatbox.talk.server.roster import Roster, Served
from wolf_chatbox.talk.server.schema import Model, Models

router = APIRouter()


class Health(BaseModel):
    status: str
    models: list[str]


@router.get("/health", response_model=Health, responses={503: {"model": Health}})
async def health(request: Request, response: Response) -> Health:
    """Whether the server takes requests: `ok`, or with status 503 `leaving`. It needs no key."""
    by_name = house_of(request).roster.by_name
    leaving = any(served.gate.closed for served in by_name.values())
    response.status_code = 503 if leaving else 200
    return Health(status="leaving" if leaving else "ok", models=list(by_name))


@router.get("/metrics", response_class=PlainTextResponse, responses=REFUSALS)
async def metrics(request: Request) -> PlainTextResponse:
    """Figures in Prometheus' text form."""
    return PlainTextResponse(house_of(request).metrics.text())


@router.get("/v1/models", response_model=Models, responses=REFUSALS)
async def models(request: Request) -> Models:
    """Every run, and every persona of each as `run:Persona`."""
    return Models(data=[_model(name, served) for name, served in house_of(request).roster.names()])


@router.get("/v1/models/{model}", response_model=Model, responses=REFUSALS)
async def one_model(model: str, request: Request) -> Model:
    """One run or persona."""
    served, _ = house_of(request).roster.find(model)
    return _model(model, served)


def _model(name: str, served: Served) -> Model:
    persona = name.partition(":")[2] or served.character.persona
    return Model(id=name, created=served.created, max_model_len=served.character.voice.engine.context, name=persona)


def make_app(
    roster: Roster,
    limits: Limits | None = None,
    *,
    keys: Sequence[str] = (),
    hosts: frozenset[str] | None = LOOPBACK,
    origins: Sequence[str] = (),
) -> tuple[ASGIApp, House]:
    """The app with its guard, and the house that its paths share."""
    app, house = make_api(roster, limits, keyed=bool(keys))
    return guarded(app, app, house, keys=keys, hosts=hosts, origins=origins), house


def make_api(roster: Roster, limits: Limits | None = None, *, keyed: bool = False) -> tuple[FastAPI, House]:
    """The app without its guard."""
    house = House(roster, limits or Limits(), Metrics(roster))
    app = FastAPI(
        title="wolf_chatbox",
        version=version("wolf_chatbox"),
        description="Trained characters behind OpenAI's API.",
        docs_url=None,  # these pages load scripts from other hosts
        redoc_url=None,
    )
    app.state.house = house
    for part in (router, chat.router, completions.router, kobold.router):
        app.include_router(part)
    refusals.install(app)
    sizes = [len(one.character.voice.renderer.tokenizer) for one in roster.by_name.values()]
    _describe(app, keyed, min(sizes, default=None))
    return app, house


def guarded(
    inner: ASGIApp,
    app: FastAPI,
    house: House,
    *,
    keys: Sequence[str] = (),
    hosts: frozenset[str] | None = LOOPBACK,
    origins: Sequence[str] = (),
    uploads: tuple[str, int] | None = None,
) -> ASGIApp:
    """The guard around `inner`, which is the app or something around it."""
    paths, most = set(app.openapi()["paths"]), house.limits.body_bytes
    outer: ASGIApp = Guard(inner, house.metrics, paths, most, keys, hosts, origins, uploads)
    if origins:  # it answers a browser's question whether it may ask, which comes without the key
        outer = CORSMiddleware(
            outer,
            allow_origins=origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
        )
    return outer


def _describe(app: FastAPI, keyed: bool, known: int | None) -> None:
    """Correct FastAPI's description: what is invalid is answered with 400, not 422; a key is needed or not.

    `known` is how many token ids there are, if that is known.
    """
    description: dict[str, Any] = app.openapi()
    for path, operations in description["paths"].items():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            for status, response in operation["responses"].items():
                if status != "200":  # FastAPI gives errors the type of the whole path
                    response["content"] = {"application/json": next(iter(response["content"].values()))}
            if keyed and path != "/health":
                operation["security"] = [{"key": []}]
    schemas = description["components"]["schemas"]
    for form in schemas["CompletionRequest"]["properties"]["prompt"]["anyOf"]:
        if known is not None and form.get("items", {}).get("type") == "integer":
            form["items"]["maximum"] = known - 1
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    if keyed:
        description["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    app.openapi_schema = description
