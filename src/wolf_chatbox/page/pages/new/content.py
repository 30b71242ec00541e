"""Step 2: what is in the files, whom to learn, and what privacy replaces."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from nicegui import ui

from wolf_chatbox.errors import FormatError, WolfChatboxError
from wolf_chatbox.importers.second_look.look import Unclaimed, kinds_of
from wolf_chatbox.page.away import away
from wolf_chatbox.page.making import background
from wolf_chatbox.page.making.making import Making
from wolf_chatbox.page.pages.new.dropping import formats
from wolf_chatbox.page.pages.new.parts import choice, facts, fold, switch
from wolf_chatbox.page.pages.new.people import people
from wolf_chatbox.page.pages.new.privacy import privacy
from wolf_chatbox.page.pages.new.steps import NewCharacter
from wolf_chatbox.page.parts import language_name, listed, why_dropped

SWITCHES: dict[str, dict[str, Any]] = {
    "duplicates": {"duplicates": "near"},
    "repair": {"repair": True},
    "pseudonyms": {"pseudonyms": True},
}
"""What a remedy changes, by the setting that it names; `languages` keeps the one that most conversations are in."""
KINDS = {
    **dict.fromkeys(("pdf", "word", "book", "slides", "office", "rtf", "postscript"), "document"),
    "archive": "archive",
    **dict.fromkeys(("whatsapp-backup", "signal-backup"), "backup"),
    **dict.fromkeys(("whatsapp-db", "imessage-db", "signal-db", "line-db", "kakao-db", "viber-db"), "database"),
    **dict.fromkeys(("database", "sms-db", "browser-db"), "database"),
    **dict.fromkeys(("prose", "text", "line", "markdown"), "prose"),
    **dict.fromkeys(("encoding", "wide"), "encoding"),
    **{
        kind: kind
        for kind in ("audio", "claimed", "empty", "html", "json", "picture", "sheet", "table", "turns", "video")
    },
}
"""What is told of a file of no known format, by the kind that was seen; of others, that it is no conversation."""
UNSAID = ("media", "system", "deleted", "slips")
REASONS = 12
"""Lines of a list that is not whole."""


def build(page: NewCharacter) -> None:
    """The content, as soon as it is known; until then how far the reading is."""
    making = page.must()
    box = ui.element("div").classes("new-content")
    if making.about.get("look_key") == key_of(making) and page.look():
        with box:
            _content(page)
        return
    with box:
        _waiting(page, box)


def key_of(making: Making) -> str:
    """What the content depends on: the files, and how they are read."""
    sizes = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in making.dropped]
    about = {name: making.about.get(name) for name in (*background.CLEANING, *background.READING, "example")}
    return hashlib.sha256(json.dumps([sizes, about], sort_keys=True).encode()).hexdigest()


def _waiting(page: NewCharacter, box: ui.element) -> None:
    making, key = page.must(), key_of(page.must())
    with ui.element("div").classes("new-wait").props("role=status"):
        ui.spinner(size="28px").props("aria-hidden=true")
        with ui.element("div"):
            ui.label(page.t("content.reading"))
            count = ui.label(page.t("content.begun")).classes("quiet small")
        ui.space()
        ui.button(page.t("cancel"), on_click=lambda: page.show(0, focus=True)).props("flat")

    def told(turns: Any) -> None:
        count.set_text(page.t("content.turns", count=int(turns), shown=f"{int(turns):,}"))

    def failed(text: str) -> None:
        box.clear()
        with box:
            ui.label(text).classes("note bad new-long").props("role=alert")
            with ui.row().classes("new-links"):
                ui.button(page.t("content.other"), on_click=lambda: page.show(0, focus=True)).props("unelevated")
                asks = ui.button(page.t("files.formats"), icon="help_outline", on_click=lambda: formats(page))
                asks.props("flat")

    async def read() -> None:
        try:
            await away(background.look, making.folder, tell=told)
        except FormatError as error:
            failed(_unknown(page, kinds_of(error.looks) if isinstance(error, Unclaimed) else {}))
            return
        except WolfChatboxError as error:
            failed(str(error))
            return
        except Exception:
            failed(page.t("fault"))
            raise
        page.change(look_key=key)
        box.clear()
        with box:
            _content(page)

    page.run(read())


def _unknown(page: NewCharacter, seen: Mapping[str, str]) -> str:
    """What files of no known format are."""
    said = [page.t(f"content.seen.{KINDS.get(kind, 'other')}", name=name) for name, kind in seen.items()]
    return " ".join(said) or page.t("content.no_format")


def again(page: NewCharacter, **about: Any) -> None:
    """Change how the files are read, and read them anew."""
    page.change(**about)
    page.show(1)


def _content(page: NewCharacter) -> None:
    making, look = page.must(), page.look()
    found = look["inspection"]
    fixed = making.fixed
    facts(_figures(page, found))
    seen = look.get("seen", {})
    for path, reason in look["failed"].items():
        name = path.rsplit("/", 1)[-1]
        why = reason or _unknown(page, {name: seen[name]} if name in seen else seen)
        ui.label(page.t("content.unread", name=name, reason=why)).classes("note bad new-long")
    for file in found["unread"]:
        reason = page.t("content.in_part", reason=file["reason"]) if file["turns"] else file["reason"]
        name = str(file["path"]).rsplit("/", 1)[-1]
        ui.label(page.t("content.unread", name=name, reason=reason)).classes("note bad new-long")
    if skipped := look["skipped"]:
        names = listed(page.words, skipped[:REASONS]) + ("…" if len(skipped) > REASONS else "")
        ui.label(page.t("content.skipped", count=len(skipped), names=names)).classes("note new-long")
    _advice(page, look, fixed)
    _details(page, found, fixed)
    if not fixed:
        people(page, look)
        privacy(page, look)
        with ui.row().classes("new-next"):
            on = ui.button(page.t("content.next"), on_click=lambda: page.go(2)).props("unelevated")
            known = [one["name"] for one in look["people"]]  # the files may be others by now
            on.set_enabled(bool(making.about.get("everybody")) or making.about.get("persona") in known)
            page.on_next = on


def _figures(page: NewCharacter, found: dict[str, Any]) -> list[tuple[str, str]]:
    t = page.t
    spoken = (_spoken(page, code, share) for code, share in list(found["languages"].items())[:3])
    first, last = (str(found[name] or "")[:10] for name in ("first", "last"))
    return [
        (t("content.kept"), f"{found['kept'] + found['joined']:,}"),
        (t("content.conversations"), f"{found['conversations']:,}"),
        (t("content.speakers"), f"{len(found['speakers']):,}"),
        (t("content.languages"), listed(page.words, spoken) or "—"),
        *([(t("content.dates"), f"{first} – {last}")] if first else []),
        *([(t("content.dropped"), f"{sum(found['dropped'].values()):,}")] if found["dropped"] else []),
    ]


def _spoken(page: NewCharacter, code: str, share: float) -> str:
    """A language by its name, where it has one in the words, and its share unless it is the only one."""
    name = language_name(page.words, code)
    return name if share == 1 else f"{name} {share:.0%}"


def _advice(page: NewCharacter, look: dict[str, Any], fixed: bool) -> None:
    """What to look into, each with its remedy where that is a switch."""
    for advice in look["advice"]:
        with ui.element("div").classes("note new-advice"):
            ui.icon("lightbulb").props("aria-hidden=true")
            ui.label(page.words(f"warnings.{advice['kind']}", **advice["values"])).classes("new-long")
            remedy = next((name for name in advice["settings"] if name in (*SWITCHES, "languages")), None)
            if remedy and not fixed:
                ui.button(page.t(f"remedies.{remedy}"), on_click=lambda one=remedy: _apply(page, one, look)).props(
                    "flat dense"
                )


def _apply(page: NewCharacter, remedy: str, look: dict[str, Any]) -> None:
    if remedy == "pseudonyms":
        page.change(**SWITCHES[remedy])
        page.show(1)
    elif remedy == "languages":
        again(page, languages=list(look["inspection"]["languages"])[:1])
    else:
        again(page, **SWITCHES[remedy])


def _details(page: NewCharacter, found: dict[str, Any], fixed: bool) -> None:
    """Files, dropped turns, notes, lengths, and how the files are read."""
    making = page.must()
    with fold(page.t("content.more")):
        _list(page.t("content.files"), [f"{path.rsplit('/', 1)[-1]}: {title}" for path, title in found["files"]])
        dropped = [f"{count:,}: {why_dropped(page.words, why)}" for why, count in found["dropped"].items()]
        _list(page.t("content.dropped_why"), dropped)
        _list(page.t("content.notes"), found["notes"])
        least, median, most = found["turns_a_conversation"]
        _list(
            page.t("content.lengths"),
            [
                page.t("content.a_conversation", least=least, median=median, most=most),
                page.t("content.near", share=f"{found['near_duplicates']:.1%}"),
            ],
        )
    if fixed:
        return
    with fold(page.t("content.how")):
        switch(page.t("content.repair"), bool(making.about.get("repair")), lambda on: again(page, repair=on))
        copies = {name: page.t(f"duplicates.{name}") for name in ("keep", "exact", "near")}
        now = str(making.about.get("duplicates") or "keep")
        choice(page.t("content.duplicates"), copies, now, lambda value: again(page, duplicates=value))
        spoken = list(found["languages"])
        kept = list(making.about.get("languages") or [])
        if len(spoken) > 1 or kept:
            every = {code: language_name(page.words, code) for code in dict.fromkeys([*kept, *spoken])}
            only = ui.select(every, value=kept, multiple=True, label=page.t("content.only_languages"))
            only.props("outlined dense use-chips").classes("new-field")
            only.on_value_change(lambda event: again(page, languages=list(event.value)))
        unsaid = {name: page.t(f"unsaid.{name}") for name in UNSAID}
        also = ui.select(
            unsaid, value=list(making.about.get("also_keep") or []), multiple=True, label=page.t("content.also_keep")
        )
        also.props("outlined dense use-chips").classes("new-field")
        also.on_value_change(lambda event: again(page, also_keep=list(event.value)))


def _list(title: str, lines: list[str]) -> None:
    if not lines:
        return
    ui.label(title).classes("new-family")
    with ui.element("ul").classes("new-list"):
        for line in lines[:REASONS]:
            with ui.element("li"):
                ui.label(line)
        if len(lines) > REASONS:
            with ui.element("li"):
                ui.label("…")
