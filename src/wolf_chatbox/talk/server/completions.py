"""POST /v1/completions: raw text goes on, whatever the model's style."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from wolf_chatbox.model.token_text import Piece
from wolf_chatbox.samples.rendering import Renderer
from wolf_chatbox.talk.server.chat import EVENTS, REFUSALS, events, usage_of
from wolf_chatbox.talk.server.drawing import Draw
from wolf_chatbox.talk.server.house import House, Replies, fields, house_of, new_seed
from wolf_chatbox.talk.server.refusals import Refusal, too_long
from wolf_chatbox.talk.server.roster import Served
from wolf_chatbox.talk.server.schema import SEEDS, Completion, CompletionRequest, TextChoice, TextLogprobs

router = APIRouter()


@router.post("/v1/completions", response_model=Completion, responses=EVENTS | REFUSALS)
async def completions(ask: CompletionRequest, request: Request) -> Response:
    """Go on with raw text. With `stream` the text comes in server-sent events."""
    house = house_of(request)
    served, _ = house.roster.find(ask.model)
    renderer = served.character.voice.renderer
    prompts = prompts_of(ask, served, house)
    echoes = [
        str(renderer.tokenizer.decode(prompt)) if ask.echo else "" for prompt in prompts for _ in range(ask.n or 1)
    ]
    sampling = ask.sampling(served.character.sampling, house.limits.reply_tokens)
    first = new_seed() if ask.seed is None else ask.seed
    stops, voice = list(ask.stops()), served.character.voice

    def draw(prompt: list[int], seed: int) -> Draw:
        return lambda top, over: voice.go_on(prompt, sampling, seed, top=top, stop=stops, over=over)

    draws = [draw(prompt, (first + at) % SEEDS) for prompt in prompts for at in range(ask.n or 1)]
    replies = await house.draw(request, served, draws, ask.logprobs)
    head = fields("cmpl", ask.model or served.name, served)
    if ask.stream:
        usage = bool(ask.stream_options and ask.stream_options.include_usage)
        chunks = chunks_of(head, replies, echoes, usage)
        return StreamingResponse(events(chunks), media_type="text/event-stream")
    choices = [
        TextChoice(
            index=at,
            text=echoes[at] + text,
            logprobs=text_logprobs(job.drawing.tokens, len(echoes[at])) if ask.logprobs is not None else None,
            finish_reason=job.drawing.finish,
        )
        for at, (text, job) in enumerate(zip(await replies.texts(), replies.jobs))
    ]
    return JSONResponse(Completion(**head, choices=choices, usage=usage_of(replies)).model_dump(mode="json"))


def prompts_of(ask: CompletionRequest, served: Served, house: House) -> list[list[int]]:
    """The ids of each prompt; raises Refusal for one that is too long, or has ids that the model does not know."""
    renderer = served.character.voice.renderer
    if isinstance(ask.prompt, str):
        prompts = [encode(ask.prompt, renderer)]
    elif ask.prompt and isinstance(ask.prompt[0], str):
        prompts = [encode(text, renderer) for text in ask.prompt]
    else:
        prompts = [cast(list[int], list(ask.prompt)) or [renderer.end_id]]
        if max(prompts[0]) >= len(renderer.tokenizer):
            raise Refusal(400, f"the ids of this model are below {len(renderer.tokenizer)}.", param="prompt")
    most = min(house.limits.prompt_tokens, served.character.voice.engine.context - 1)
    for prompt in prompts:
        if len(prompt) > most:
            raise too_long(f"the prompt has {len(prompt):,} tokens, and at most {most:,} are allowed.", "prompt")
    return prompts


def encode(text: str, renderer: Renderer) -> list[int]:
    """The ids of raw text, in which special tokens count as such; never empty."""
    return list(renderer.tokenizer(text).input_ids) or [renderer.end_id]


async def chunks_of(
    head: dict[str, Any], replies: Replies, echoes: Sequence[str], include_usage: bool
) -> AsyncIterator[Completion]:
    for at, job in enumerate(replies.jobs):
        noted, offset = 0, len(echoes[at])
        if echoes[at]:
            yield _chunk(head, at, echoes[at])
        async for piece in replies.pieces(at):
            logprobs = None
            if job.drawing.top is not None:
                new = job.drawing.tokens[noted:]
                logprobs, noted = text_logprobs(new, offset), noted + len(new)
            offset += len(piece)
            yield _chunk(head, at, piece, logprobs)
        yield _chunk(head, at, "", None, job.drawing.finish)
    if include_usage:
        yield Completion(**head, choices=[], usage=usage_of(replies))


def _chunk(
    head: dict[str, Any], at: int, text: str, logprobs: TextLogprobs | None = None, finish: Any = None
) -> Completion:
    return Completion(**head, choices=[TextChoice(index=at, text=text, logprobs=logprobs, finish_reason=finish)])


def text_logprobs(tokens: Sequence[Piece], offset: int) -> TextLogprobs:
    """Tokens with their log-probabilities; `offset` is where their text begins."""
    words = [token.text for token in tokens]
    return TextLogprobs(
        tokens=words,
        token_logprobs=[token.logprob for token in tokens],
        top_logprobs=[{other.text: other.logprob for other in token.top} for token in tokens],
        text_offset=[offset + sum(map(len, words[:at])) for at in range(len(words))],
    )
