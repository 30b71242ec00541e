"""`wolf-chatbox web`."""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
import webbrowser
from functools import partial
from pathlib import Path

from wolf_chatbox.cli.display import quiet_transformers
from wolf_chatbox.cli.serve import check_key, check_packages, load, open_run, read_keys
from wolf_chatbox.config import WebConfig
from wolf_chatbox.errors import ConfigError
from wolf_chatbox.model.record import RUN_FILE
from wolf_chatbox.screen import Screen

NEEDED = ("fastapi", "uvicorn", "prometheus_client", "nicegui")
UPLOADS = "/_nicegui/client/"
"""What the paths begin with to which a browser sends files."""


def web(config: WebConfig | None = None) -> int:
    """Open the page: make characters from your files, and talk with them. The API is on the same port."""
    return open_page(config or WebConfig())


def open_page(config: WebConfig, path: str = "") -> int:
    """Serve the page until it is stopped; a browser opens it at this path."""
    for run in config.runs:
        if not (Path(run) / RUN_FILE).is_file():
            raise ConfigError("runs", run, "is no trained model: it has no run.json. Make one on the page instead.")
    check_packages(NEEDED, "web", config.runs)
    from wolf_chatbox.page.app import add_page
    from wolf_chatbox.talk.server.app import guarded, make_api
    from wolf_chatbox.talk.server.house import Limits
    from wolf_chatbox.talk.server.place import LOOPBACK, listen, url_of
    from wolf_chatbox.talk.server.roster import Roster
    from wolf_chatbox.talk.server.serving import serve

    keys, console = read_keys(config), Screen(stderr=True)
    local = check_key(config, keys)
    quiet_transformers()
    _say_faults()
    with listen(config.host, config.port) as place:
        limits = Limits(config.max_body, config.max_prompt_tokens, config.max_reply_tokens, config.max_seconds)
        app, house = make_api(Roster(load(config, console)), limits, keyed=bool(keys))
        page = add_page(app, house, config.home, config.runs, partial(open_run, config), keys)
        # With a key, a proxy's name is as good: no cookie belongs to another one that leads here (DNS rebinding).
        hosts = LOOPBACK | {config.host.strip("[]").lower()} if local and not keys else None
        uploads = (UPLOADS, config.max_upload)
        outer = guarded(page, app, house, hosts=hosts, origins=config.allow_origin, uploads=uploads)
        url = url_of(place)
        console.say(f"ready: {url} · API: {url}/v1 · Ctrl-C leaves")
        _lead_to(url + path, console, opens=not config.no_browser and sys.stdout.isatty(), local=local)
        serve(outer, house, [place], config.grace, console.say, starts=True)
    _say_what_goes_on(config.home.expanduser(), console)
    return 0


def _say_what_goes_on(home: Path, console: Screen) -> None:
    from wolf_chatbox.page.making.queue import Queue
    from wolf_chatbox.page.workspace import Workspace

    if (making := Queue(Workspace(home)).running()) is not None:
        console.say(f"The training of {making.name} goes on. Open the page again to see it: wolf-chatbox web")


def _lead_to(url: str, console: Screen, *, opens: bool, local: bool) -> None:
    """Open the page in a browser where there is one, else say how to get there."""
    here = url.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")
    if opens and _has_display():
        console.say(f"The page opens in your browser. If it does not, open {here}", "dim")
        threading.Thread(target=webbrowser.open, args=(here,), daemon=True).start()  # some wait for the browser's end
    elif opens:
        console.say(f"There is no display here. Open {here} in a browser on this machine.")
    if not local:
        port = url.rpartition(":")[2].partition("/")[0]
        console.say(
            f"Other machines open http://{socket.gethostname()}:{port}, or this machine's address, with the key."
        )


def _has_display() -> bool:
    """Whether a browser could open a window here; one that runs in the terminal would be in the way of this program."""
    if "SSH_CONNECTION" in os.environ:
        return False
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _say_faults() -> None:
    """Let faults of the page reach the terminal, with their traceback: a library logs them, and shows nothing."""
    log = logging.getLogger("nicegui")
    log.addHandler(logging.StreamHandler())
    log.setLevel(logging.ERROR)
    log.propagate = False
