"""POST /v1/chat/completions: messages become a scene, and the persona answers it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel

from wolf_chatbox.conversation import Turn
from wolf_chatbox.model.token_text import Piece
from wolf_chatbox.model.voice import Reply
from wolf_chatbox.samples.styles import SYSTEM, Chat
from wolf_chatbox.scene import Scene
from wolf_chatbox.talk.server.drawing import Draw
from wolf_chatbox.talk.server.house import House, Replies, fields, house_of, new_seed
from wolf_chatbox.talk.server.refusals import ErrorBody, answer, as_refusal, is_known
from wolf_chatbox.talk.server.roster import Served
from wolf_chatbox.talk.server.schema import (
    SEEDS,
    Alternative,
    ChatChoice,
    ChatChunk,
    ChatCompletion,
    ChatLogprobs,
    ChatRequest,
    ChunkChoice,
    Delta,
    Message,
    Said,
    TokenLogprob,
    Usage,
)

router = APIRouter()
EVENTS: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody} for status in (400, 401, 403, 404, 408, 413, 421, 429, 500, 503)
}
LEFT_OUT = "X-Wolf-Chatbox-Left-Out"
"""The header that says what of a request could not be used."""


@router.post("/v1/chat/completions", response_model=ChatCompletion, responses=EVENTS | REFUSALS)
async def chat_completions(ask: ChatRequest, request: Request) -> Response:
    """Answer messages as a persona. With `stream` the reply comes in server-sent events."""
    house = house_of(request)
    served, persona = house.roster.find(ask.model)
    scene, left_out = scene_of(ask.messages, served, persona)
    begun = ""
    if ask.continue_final_message and scene.turns and scene.turns[-1].speaker == persona:
        begun, scene = scene.turns[-1].text, replace(scene, turns=scene.turns[:-1])
    draws = draws_of(house, ask, served, scene, begun)
    top = (ask.top_logprobs or 0) if ask.logprobs else None
    replies = await house.draw(request, served, draws, top)
    head = fields("chatcmpl", ask.model or served.name, served)
    headers = {LEFT_OUT: "system messages"} if left_out else {}
    if ask.stream:
        usage = bool(ask.stream_options and ask.stream_options.include_usage)
        chunks = chunks_of(head, replies, usage)
        return StreamingResponse(events(chunks), media_type="text/event-stream", headers=headers)
    choices = [
        ChatChoice(
            index=at,
            message=Said(content=text, name=persona),
            logprobs=chat_logprobs(job.drawing.tokens) if ask.logprobs else None,
            finish_reason=job.drawing.finish,
        )
        for at, (text, job) in enumerate(zip(await replies.texts(), replies.jobs))
    ]
    return JSONResponse(
        ChatCompletion(**head, choices=choices, usage=usage_of(replies)).model_dump(mode="json"), headers=headers
    )


def scene_of(messages: Sequence[Message], served: Served, persona: str) -> tuple[Scene, bool]:
    """The scene of messages; and whether system messages were left out, as the model knows no such speaker.

    `name` is the speaker; without it the assistant is the persona, and the user is who talks most to it.
    """
    style, user = served.character.voice.renderer.style, served.user(persona)
    instructed = (isinstance(style, Chat) and style.system is not None) or SYSTEM in served.character.voice.speakers
    turns, left_out = list[Turn](), False
    for message in messages:
        if not (text := message.text()):
            continue
        if message.role in ("system", "developer"):
            left_out |= not instructed
            if instructed:
                turns.append(Turn(SYSTEM, text))
        else:
            own = persona if message.role == "assistant" else user
            turns.append(Turn((message.name or "").strip() or own, text))
    return Scene(tuple(turns), speaker=persona), left_out


def draws_of(house: House, ask: ChatRequest, served: Served, scene: Scene, begun: str) -> list[Draw]:
    """One draw for each of the `n` replies, each with a seed of its own."""
    voice, most = served.character.voice, house.limits.prompt_tokens
    voice = replace(voice, history_tokens=min(voice.history_tokens or most, most))
    sampling = ask.sampling(served.character.sampling, house.limits.reply_tokens, ask.max_completion_tokens)
    first = new_seed() if ask.seed is None else ask.seed
    seeds = [(first + at) % SEEDS for at in range(ask.n or 1)]
    stops = list(ask.stops())

    def draw(seed: int) -> Draw:
        given = Reply(begun) if begun else None
        return lambda top, over: voice.answer(scene, sampling, seed, given, top=top, stop=stops, over=over)

    return [draw(seed) for seed in seeds]


async def chunks_of(head: dict[str, Any], replies: Replies, include_usage: bool) -> AsyncIterator[ChatChunk]:
    """The chunks of a stream: the role, the pieces, why it ended, and at the end the usage if it is asked for."""
    head = head | {"usage": None}
    for at, job in enumerate(replies.jobs):
        noted = 0

        def logprobs(noted: int, at: int = at) -> ChatLogprobs | None:
            drawing = replies.jobs[at].drawing
            return None if drawing.top is None else chat_logprobs(drawing.tokens[noted:])

        yield ChatChunk(**head, choices=[ChunkChoice(index=at, delta=Delta(role="assistant", content=""))])
        async for piece in replies.pieces(at):
            yield ChatChunk(
                **head, choices=[ChunkChoice(index=at, delta=Delta(content=piece), logprobs=(new := logprobs(noted)))]
            )
            noted += len(new.content) if new else 0
        yield ChatChunk(
            **head,
            choices=[ChunkChoice(index=at, delta=Delta(), logprobs=logprobs(noted), finish_reason=job.drawing.finish)],
        )
    if include_usage:
        yield ChatChunk(**(head | {"usage": usage_of(replies)}), choices=[])


async def events(chunks: AsyncIterator[BaseModel]) -> AsyncIterator[str]:
    """Chunks as server-sent events, up to `[DONE]`; what fails on the way becomes an event with an error."""
    try:
        async for chunk in chunks:
            data = chunk.model_dump(mode="json")
            for choice in data.get("choices", []):  # a delta has only what is new
                if "delta" in choice:
                    choice["delta"] = {name: value for name, value in choice["delta"].items() if value is not None}
            yield f"data: {json.dumps(data, ensure_ascii=False)}\n\n"
        yield "data: [DONE]\n\n"
    except Exception as error:
        refusal = as_refusal(error)
        yield f"data: {bytes(answer(refusal, '').body).decode()}\n\n"
        if not is_known(error):
            raise


def usage_of(replies: Replies) -> Usage:
    prompt, drawn = replies.prompt_tokens, replies.drawn
    return Usage(prompt_tokens=prompt, completion_tokens=drawn, total_tokens=prompt + drawn)


def chat_logprobs(tokens: Iterable[Piece]) -> ChatLogprobs:
    return ChatLogprobs(
        content=[
            TokenLogprob(
                **_alternative(token), top_logprobs=[Alternative(**_alternative(other)) for other in token.top]
            )
            for token in tokens
        ]
    )


def _alternative(token: Piece) -> dict[str, Any]:
    return {"token": token.text, "logprob": max(token.logprob, -9999.0), "bytes": list(token.bytes)}
