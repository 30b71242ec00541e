"""The commands of a chat, by groups: how each is typed, and what it does in the words of a language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wolf_chatbox.words import Words

GROUPS: Final = {
    "replies": (
        "/next",
        "/back",
        "/retry",
        "/more",
        "/speak [{name}]",
        "/impersonate",
        "/compare {run}",
        "/why",
    ),
    "back": ("/undo [{n}]", "/edit [{n}] [{text}]", "/branch [{n}]", "/branches", "/go [{n}]"),
    "cast": ("/persona [{name}]", "/invite {name}", "/dismiss {name}", "/whisper {name} {text}"),
    "chat": (
        "/search {words}",
        "/load [{n}|{file}]",
        "/save {file}",
        "/export {file}",
        "/reset",
        "/forget",
    ),
    "program": ("/set {setting}", "/time on|off", "/lang en|ja", "/help", "/quit"),
}
"""How commands are typed; what stands in braces has a name in each language."""
COMMANDS = tuple(usage.partition(" ")[0] for group in GROUPS.values() for usage in group)


def menu(words: Words) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Each group's title, and its commands with what they do."""
    places = {name: words(f"terminal.places.{name}") for name in words.texts["terminal"]["places"]}
    for group, usages in GROUPS.items():
        rows = [
            (usage.format(**places), words(f"terminal.means.{usage.partition(' ')[0].removeprefix('/')}"))
            for usage in usages
        ]
        yield words(f"terminal.groups.{group}"), rows
