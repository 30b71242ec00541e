"""The tokens by which the contest's server knows its agents: JWT (RFC 7519), signed with HMAC-SHA256 (HS256)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from typing import Any

SHORTEST = 16
"""Characters of a secret: one that can be guessed protects nothing."""
PLAYER, RECEIVER = "PLAYER", "RECEIVER"
"""The roles of a token: an agent's, and that of somebody who only watches."""


def sign(team: str, secret: str, role: str = PLAYER) -> str:
    """A token for a team."""
    parts = ({"alg": "HS256", "typ": "JWT"}, {"team": team, "role": role})
    signed = ".".join(_packed(json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode()) for part in parts)
    return f"{signed}.{_packed(_signature(signed, secret))}"


def admits(token: str, secret: str, team: str, role: str = PLAYER) -> bool:
    """Whether a token lets this team in."""
    claims = claims_of(token, secret)
    return claims is not None and claims.get("team") == team and claims.get("role") == role


def claims_of(token: str, secret: str) -> dict[str, Any] | None:
    """What a token says; None for one that this secret did not sign, or that is out of date."""
    signed, _, signature = token.rpartition(".")
    head, _, body = signed.partition(".")
    try:
        if not hmac.compare_digest(_unpacked(signature), _signature(signed, secret)):
            return None
        header, claims = json.loads(_unpacked(head)), json.loads(_unpacked(body))
    except (ValueError, binascii.Error, RecursionError):
        return None
    if not isinstance(header, dict) or header.get("alg") != "HS256" or not isinstance(claims, dict):
        return None
    ends = claims.get("exp", float("inf"))
    return claims if isinstance(ends, int | float) and time.time() < ends else None


def _signature(signed: str, secret: str) -> bytes:
    return hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()


def _packed(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def _unpacked(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
