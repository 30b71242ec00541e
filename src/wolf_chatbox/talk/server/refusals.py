"""Errors in OpenAI's form: `{"error": {"message", "type", "param", "code"}}`; on KoboldAI's paths `detail` too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from wolf_chatbox.errors import ChatError, WolfChatboxError

RETRY_SECONDS = 2
"""What Retry-After says."""
REMEDIES = {
    "frequency_penalty": "it must be 0 here; use repetition_penalty",
    "presence_penalty": "it must be 0 here; use repetition_penalty",
    "logit_bias": "it must be empty here",
    "tools": "there are no tools here; leave it out",
    "functions": "there are no functions here; leave it out",
    "response_format": "only text comes out here; leave it out",
    "suffix": "text cannot be put in between; leave it out",
}


class Problem(BaseModel):
    """What is wrong, in OpenAI's words."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorBody(BaseModel):
    """The body of an error."""

    error: Problem


class Gone(Exception):
    """Nobody waits for this reply any more."""


class Refusal(Exception):
    """A request that is not answered; `busy` asks to try again later."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        kind: str = "invalid_request_error",
        busy: bool = False,
    ) -> None:
        super().__init__(message)
        self.status, self.kind, self.param, self.code = status, kind, param, code
        self.headers = {"Retry-After": str(RETRY_SECONDS)} if busy else {}


def too_long(message: str, param: str) -> Refusal:
    return Refusal(400, message, param=param, code="context_length_exceeded")


def as_refusal(error: Exception) -> Refusal:
    """What a client is told of an error that comes while its reply is drawn."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, ChatError):
        return too_long(str(error), "messages")
    text = str(error) if isinstance(error, WolfChatboxError) else "the server failed; its terminal says why."
    return Refusal(500, text, kind="server_error")


def is_known(error: Exception) -> bool:
    """Whether an error needs no traceback."""
    return isinstance(error, WolfChatboxError | Refusal | Gone)


def body_of(status: int, message: str, kind: str, param: str | None, code: str | None, path: str) -> dict[str, Any]:
    """The JSON body of an error."""
    body: dict[str, Any] = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return body | {"detail": {"msg": message, "type": kind}} if path.startswith("/api/") else body


def answer(refusal: Refusal, path: str) -> JSONResponse:
    body = body_of(refusal.status, str(refusal), refusal.kind, refusal.param, refusal.code, path)
    return JSONResponse(body, refusal.status, headers=refusal.headers)


def install(app: FastAPI) -> None:
    """Let every error of the app have this form."""

    @app.exception_handler(Refusal)
    async def refuse(request: Request, refusal: Refusal) -> JSONResponse:
        return answer(refusal, request.url.path)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first: Mapping[str, Any] = error.errors()[0]
        place = [str(part) for part in first["loc"][1:] if not str(part).startswith(("function-", "list["))]
        param = ".".join(place) or None
        remedy = REMEDIES.get(place[0] if place else "", str(first["msg"]))
        return answer(Refusal(400, f"{param or 'the body'}: {remedy}.", param=param), request.url.path)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        words = {404: f"no such path: {request.url.path}.", 405: f"{request.method} is not allowed here."}
        refusal = Refusal(error.status_code, words.get(error.status_code, f"{error.detail}."))
        refusal.headers |= error.headers or {}
        return answer(refusal, request.url.path)

    @app.exception_handler(WolfChatboxError)
    async def known(request: Request, error: WolfChatboxError) -> JSONResponse:
        return answer(as_refusal(error), request.url.path)

    @app.exception_handler(Gone)
    async def gone(request: Request, error: Gone) -> Response:
        return Response(status_code=499)  # nobody reads it; the status is nginx's

    @app.exception_handler(Exception)
    async def unknown(request: Request, error: Exception) -> JSONResponse:
        return answer(as_refusal(error), request.url.path)
