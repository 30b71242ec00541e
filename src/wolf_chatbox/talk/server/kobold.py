"""What clients of KoboldAI and KoboldCpp ask for (https://lite.koboldai.net/koboldcpp_api): raw text goes on.

The first run answers, as these clients name no model. Settings that are not listed here are ignored, as KoboldCpp does.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, Field

from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.talk.server.chat import EVENTS, REFUSALS
from wolf_chatbox.talk.server.completions import encode
from wolf_chatbox.talk.server.drawing import Draw
from wolf_chatbox.talk.server.house import Replies, house_of, new_seed
from wolf_chatbox.talk.server.refusals import answer, as_refusal, is_known
from wolf_chatbox.talk.server.roster import Served
from wolf_chatbox.talk.server.schema import MOST_STOPS, SEEDS, Count, Seed, Stop, Strict, Text, TopK

router = APIRouter(prefix="/api")
AI_VERSION, CPP_VERSION = "1.2.5", "1.100"
"""The versions of the interfaces that this is like: clients decide by them what they may ask for."""


class GenerateRequest(Strict):
    """POST /api/v1/generate"""

    prompt: Text
    max_length: Count | None = None
    max_context_length: Count | None = None
    temperature: float | None = Field(None, ge=0, le=100)
    top_k: TopK | None = None
    top_p: float | None = Field(None, ge=0, le=1)
    min_p: float | None = Field(None, ge=0, le=1)
    rep_pen: float | None = Field(None, ge=0.01, le=100)
    stop_sequence: Annotated[list[Stop], Field(max_length=MOST_STOPS)] | None = None
    sampler_seed: Seed | None = Field(None, description="-1 = a new one")
    genkey: str | None = Field(None, max_length=1000)

    def sampling(self, saved: SamplingConfig, most: int) -> SamplingConfig:
        temperature = self.temperature
        return saved.changed(
            temperature=0.0 if temperature is not None and temperature < 1e-3 else temperature,
            top_k=None if self.top_k is None else max(self.top_k, 0),
            top_p=None if self.top_p is None else max(self.top_p, 1e-9),
            min_p=self.min_p,
            repetition_penalty=self.rep_pen,
            max_new_tokens=min(self.max_length or saved.max_new_tokens, most),
        )


class Generated(BaseModel):
    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


class GenerateResponse(BaseModel):
    results: list[Generated]


class Result(BaseModel):
    result: str


class Version(Result):
    version: str
    protected: bool = False


class Value(BaseModel):
    value: int


class TokenCount(Value):
    ids: list[int]


class TokenCountRequest(Strict):
    prompt: Text


class AbortRequest(Strict):
    genkey: str | None = Field(None, max_length=1000)


class Aborted(BaseModel):
    success: bool


@router.post("/v1/generate", response_model=GenerateResponse, responses=REFUSALS)
async def generate(ask: GenerateRequest, request: Request) -> Response:
    """Go on with raw text; the beginning of one that is too long is left out."""
    replies = await _draw(ask, request)
    [text], [job] = await replies.texts(), replies.jobs
    found = Generated(
        text=text,
        finish_reason=job.drawing.finish,
        prompt_tokens=len(job.drawing.reply.prompt),
        completion_tokens=job.drawing.reply.drawn,
    )
    return JSONResponse(GenerateResponse(results=[found]).model_dump())


@router.post("/extra/generate/stream", response_model=None, responses=EVENTS | REFUSALS)
async def generate_stream(ask: GenerateRequest, request: Request) -> Response:
    """Go on with raw text, in server-sent events."""
    return StreamingResponse(_events(await _draw(ask, request)), media_type="text/event-stream")


async def _draw(ask: GenerateRequest, request: Request) -> Replies:
    house = house_of(request)
    served = house.roster.first
    seed = new_seed() if ask.sampler_seed is None or ask.sampler_seed < 0 else ask.sampler_seed % SEEDS
    sampling = ask.sampling(served.character.sampling, house.limits.reply_tokens)
    replies = await house.draw(
        request, served, [_go_on(ask, served, sampling, house.limits.prompt_tokens, seed)], key=ask.genkey
    )
    return replies


def _go_on(ask: GenerateRequest, served: Served, sampling: SamplingConfig, most: int, seed: int) -> Draw:
    """Drops the beginning of a prompt that is too long, as KoboldCpp does, except for the token that begins a text."""
    voice = served.character.voice
    ids, plain = (
        encode(ask.prompt, voice.renderer),
        len(voice.renderer.tokenizer("", add_special_tokens=True).input_ids),
    )
    context = min(ask.max_context_length or voice.engine.context, voice.engine.context)
    room = max(1, min(most, context - min(sampling.max_new_tokens, context // 2)))
    if len(ids) > room:
        head = ids[:plain] if plain < room else []
        ids = [*head, *ids[len(ids) - (room - len(head)) :]]
    stops = [stop for stop in ask.stop_sequence or [] if stop]
    return lambda top, over: voice.go_on(ids, sampling, seed, top=top, stop=stops, over=over)


async def _events(replies: Replies) -> AsyncIterator[str]:
    try:
        async for piece in replies.pieces(0):
            yield _event({"token": piece, "finish_reason": None})
        yield _event({"token": "", "finish_reason": replies.jobs[0].drawing.finish})
    except Exception as error:
        refusal = as_refusal(error)
        yield f"event: error\ndata: {bytes(answer(refusal, '/api/').body).decode()}\n\n"
        if not is_known(error):
            raise


def _event(data: dict[str, str | None]) -> str:
    return f"event: message\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


@router.post("/extra/abort", response_model=Aborted, responses=REFUSALS)
async def abort(request: Request, ask: AbortRequest | None = None) -> Aborted:
    """End the reply that was asked for with this `genkey`; without a key nothing ends, as it may be anybody's."""
    key = ask.genkey if ask else None
    found = [replies for replies in house_of(request).open if key and replies.key == key]
    for replies in found:
        replies.finish()
    return Aborted(success=bool(found))


@router.post("/extra/tokencount", response_model=TokenCount, responses=REFUSALS)
async def tokencount(ask: TokenCountRequest, request: Request) -> TokenCount:
    """How many tokens a text has."""
    ids = encode(ask.prompt, house_of(request).roster.first.character.voice.renderer)
    return TokenCount(value=len(ids), ids=ids)


@router.get("/v1/model", response_model=Result, responses=REFUSALS)
async def model(request: Request) -> Result:
    return Result(result=f"wolf_chatbox/{house_of(request).roster.first.name}")


@router.get("/v1/info/version", response_model=Result, responses=REFUSALS)
async def version() -> Result:
    return Result(result=AI_VERSION)


@router.get("/extra/version", response_model=Version, responses=REFUSALS)
async def extra_version() -> Version:
    return Version(result="KoboldCpp", version=CPP_VERSION)


@router.get("/v1/config/max_length", response_model=Value, responses=REFUSALS)
async def max_length(request: Request) -> Value:
    return Value(value=house_of(request).limits.reply_tokens)


@router.get("/v1/config/max_context_length", response_model=Value, responses=REFUSALS)
@router.get("/extra/true_max_context_length", response_model=Value, responses=REFUSALS)
async def max_context_length(request: Request) -> Value:
    house = house_of(request)
    return Value(value=min(house.limits.prompt_tokens, house.roster.first.character.voice.engine.context))
