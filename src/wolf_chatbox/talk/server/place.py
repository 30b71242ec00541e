"""Where a server listens: its address, its port, and who can reach it there."""

from __future__ import annotations

import errno
import socket
from ipaddress import ip_address

from wolf_chatbox.errors import ConfigError

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
BACKLOG = 512


def is_loopback(host: str) -> bool:
    """Whether only programs on the same machine reach a host of this name."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() in LOOPBACK


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises ConfigError when the address or the port cannot be had."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        place = socket.socket(family)
    except OSError as error:
        raise ConfigError("host", host, f"is no address ({error.strerror}). Leave it out, or use 0.0.0.0.") from error
    try:
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        place.bind(address)
        place.listen(BACKLOG)
    except OSError as error:
        place.close()
        if error.errno == errno.EADDRNOTAVAIL:
            raise ConfigError("host", host, "is no address of this machine. Leave it out, or use 0.0.0.0.") from error
        problem = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror})"
        raise ConfigError("port", port, f"{problem}. Choose another, or 0 for any that is free.") from error
    return place


def url_of(place: socket.socket) -> str:
    host, port = place.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
