"""Requests and responses in the form of OpenAI's API (https://platform.openai.com/docs/api-reference).

What a client sends beyond these fields is ignored. What would change the reply and cannot be done is refused: the
fields for it take only the value that changes nothing.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from wolf_chatbox.config import SamplingConfig

MOST_MESSAGES = 10_000
MOST_CHARACTERS = 150_000
MOST_STOPS = 64
MOST_ALTERNATIVES = 20
MOST_REPLIES = 32
MOST_PROMPTS = 8
SEEDS = 2**63
"""Seeds are taken modulo this."""


def _whole(value: Any) -> Any:
    """16.0 for 16: JSON does not tell them apart."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Count = Annotated[int, Field(ge=1), BeforeValidator(_whole)]
Replies = Annotated[int, Field(ge=1, le=MOST_REPLIES), BeforeValidator(_whole)]
TopK = Annotated[int, Field(ge=-1), BeforeValidator(_whole)]
Seed = Annotated[int, BeforeValidator(_whole)]
Alternatives = Annotated[int, Field(ge=0, le=MOST_ALTERNATIVES), BeforeValidator(_whole)]
One = Annotated[int, Field(ge=1, le=1), BeforeValidator(_whole)]
Id = Annotated[int, Field(ge=0), BeforeValidator(_whole)]
Text = Annotated[str, Field(max_length=MOST_CHARACTERS)]
Stop = Annotated[str, Field(max_length=1000)]
Nothing = Annotated[list[Any], Field(max_length=0)]


class Strict(BaseModel):
    """A part of a request: a number in quotes is no number; what is unknown is ignored."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class Sampled(Strict):
    """The fields that say how a reply is drawn; one that is null or left out is as saved with the model."""

    model: str | None = Field(None, max_length=1000, description="`run` or `run:Persona`; the first run by default")
    temperature: float | None = Field(None, ge=0, le=100, description="0 = greedy")
    top_p: float | None = Field(None, ge=0, le=1)
    top_k: TopK | None = Field(None, description="extension; 0 or -1 = off")
    min_p: float | None = Field(None, ge=0, le=1, description="extension")
    repetition_penalty: float | None = Field(None, ge=0.01, le=100, description="extension; 1 = off")
    frequency_penalty: float | None = Field(None, ge=0, le=0, description="not supported: 0 only")
    presence_penalty: float | None = Field(None, ge=0, le=0, description="not supported: 0 only")
    logit_bias: Annotated[dict[str, float], Field(max_length=0)] | None = Field(None, description="not supported")
    max_tokens: Count | None = Field(None, description="the server's limit also holds")
    stop: Stop | Annotated[list[Stop], Field(max_length=MOST_STOPS)] | None = None
    seed: Seed | None = Field(None, description="the same seed gives the same reply again")
    n: Replies | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None

    def stops(self) -> tuple[str, ...]:
        """The stop strings; an empty one stops nothing."""
        listed = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return tuple(stop for stop in listed if stop)

    def sampling(self, saved: SamplingConfig, most: int, max_tokens: int | None = None) -> SamplingConfig:
        """The settings of a reply of at most `most` tokens."""
        wanted = max_tokens or self.max_tokens or saved.max_new_tokens
        temperature = self.temperature
        return saved.changed(
            temperature=0.0 if temperature is not None and temperature < 1e-3 else temperature,
            top_p=None if self.top_p is None else max(self.top_p, 1e-9),
            top_k=None if self.top_k is None else max(self.top_k, 0),
            min_p=self.min_p,
            repetition_penalty=self.repetition_penalty,
            max_new_tokens=min(wanted, most),
        )


class StreamOptions(Strict):
    include_usage: bool | None = None


class TextPart(Strict):
    type: Literal["text"]
    text: Text


class Message(Strict):
    """A message: who said it (`name`, else the role's speaker), and what."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Text | Annotated[list[TextPart], Field(max_length=1000)] | None = None
    name: str | None = Field(None, max_length=200, pattern=r"^[^\r\n]*$", description="the speaker")

    def text(self) -> str:
        parts = self.content if isinstance(self.content, list) else []
        return ("".join(part.text for part in parts) if parts else str(self.content or "")).strip()


class ResponseFormat(Strict):
    type: Literal["text"]


class ChatRequest(Sampled):
    """POST /v1/chat/completions"""

    messages: list[Message] = Field(min_length=1, max_length=MOST_MESSAGES)
    max_completion_tokens: Count | None = None
    logprobs: bool | None = None
    top_logprobs: Alternatives | None = None
    continue_final_message: bool | None = Field(None, description="extension: go on with the last message")
    tools: Nothing | None = Field(None, description="not supported")
    functions: Nothing | None = Field(None, description="not supported")
    response_format: ResponseFormat | None = Field(None, description="text only")


Ids = Annotated[list[Id], Field(max_length=MOST_CHARACTERS)]


class CompletionRequest(Sampled):
    """POST /v1/completions"""

    prompt: Text | Annotated[list[Text], Field(min_length=1, max_length=MOST_PROMPTS)] | Ids = Field(
        description="raw text, several of them, or token ids"
    )
    echo: bool | None = None
    logprobs: Alternatives | None = None
    suffix: Annotated[str, Field(max_length=0)] | None = Field(None, description="not supported")
    best_of: One | None = Field(None, description="not supported: 1 only")


class Usage(BaseModel):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Alternative(BaseModel):
    token: str
    logprob: float
    bytes: list[int] | None


class TokenLogprob(Alternative):
    top_logprobs: list[Alternative]


class ChatLogprobs(BaseModel):
    content: list[TokenLogprob]
    refusal: None = None


class Said(BaseModel):
    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None
    name: str | None = Field(None, description="extension: the persona that speaks")


class ChatChoice(BaseModel):
    index: int
    message: Said
    logprobs: ChatLogprobs | None
    finish_reason: Literal["stop", "length"]


class Answer(BaseModel):
    """What all responses have."""

    id: str
    created: int
    model: str
    system_fingerprint: str | None = None
    usage: Usage | None = None


class ChatCompletion(Answer):
    object: Literal["chat.completion"] = "chat.completion"
    choices: list[ChatChoice]


class Delta(BaseModel):
    role: Literal["assistant"] | None = None
    content: str | None = None


class ChunkChoice(BaseModel):
    index: int
    delta: Delta
    logprobs: ChatLogprobs | None = None
    finish_reason: Literal["stop", "length"] | None = None


class ChatChunk(Answer):
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    choices: list[ChunkChoice]


class TextLogprobs(BaseModel):
    tokens: list[str]
    token_logprobs: list[float | None]
    top_logprobs: list[dict[str, float] | None] | None
    text_offset: list[int]


class TextChoice(BaseModel):
    index: int
    text: str
    logprobs: TextLogprobs | None
    finish_reason: Literal["stop", "length"] | None


class Completion(Answer):
    object: Literal["text_completion"] = "text_completion"
    choices: list[TextChoice]


class Model(BaseModel):
    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "wolf_chatbox"
    max_model_len: int = Field(description="extension: the context, in tokens")
    name: str = Field(description="extension: who answers")


class Models(BaseModel):
    object: Literal["list"] = "list"
    data: list[Model]


Sampled.model_rebuild()
ChatRequest.model_rebuild()
CompletionRequest.model_rebuild()
