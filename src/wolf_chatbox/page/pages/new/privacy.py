"""What privacy replaces, with real turns before and after."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from wolf_chatbox.page.making.dropped import character_name
from wolf_chatbox.page.pages.new.parts import switch
from wolf_chatbox.page.pages.new.steps import NewCharacter
from wolf_chatbox.page.parts import listed


def privacy(page: NewCharacter, look: dict[str, Any]) -> None:
    """The switches, each with its preview while it is on."""
    about = page.must().about
    ui.label(page.t("privacy.title")).classes("heading").props("role=heading aria-level=3")
    ui.label(page.t("privacy.lead")).classes("lead")
    for name in ("scrub", "pseudonyms", *(["scrub_names"] if look["names_known"] else [])):
        on = bool(about.get(name))
        box: list[ui.element] = []

        def change(value: bool, name: str = name, box: list[ui.element] = box) -> None:
            page.change(**{name: value})
            if name == "pseudonyms" and value:
                forget_name(page)
            box[0].set_visibility(value)

        switch(page.t(f"privacy.{name}"), on, change, page.t(f"privacy.{name}_help"))
        box.append(ui.element("div").classes("new-preview"))
        box[0].set_visibility(on)
        with box[0]:
            _preview(page, look, name)


def forget_name(page: NewCharacter) -> None:
    """Drop the character's name where it is the real one of whom it learns: the folder would tell what is hidden."""
    about = page.must().about
    if about.get("persona") and about.get("name") == character_name(str(about["persona"])):
        page.change(name="")


def _preview(page: NewCharacter, look: dict[str, Any], name: str) -> None:
    if name == "scrub_names":
        ui.label(page.t("privacy.no_preview")).classes("quiet small")
        return
    turns = look["previews"].get(name, [])
    if name == "scrub" and look["replaced"]:
        kinds = listed(page.words, (f"{count:,} × [{kind}]" for kind, count in look["replaced"].items()))
        ui.label(page.t("privacy.found", kinds=kinds)).classes("small")
    if not turns:
        ui.label(page.t("privacy.nothing")).classes("quiet small")
    for turn in turns:
        with ui.element("div").classes("new-turned"):
            for side, place in (("before", 0), ("after", 1)):
                with ui.element("div").classes(f"new-side {side}"):
                    ui.label(page.t(f"privacy.{side}")).classes("new-side-name")
                    with ui.element("p"):
                        other = turn["speakers"][0] != turn["speakers"][1]
                        ui.label(turn["speakers"][place]).classes("new-side-speaker" + " changed" * other)
                        ui.label(": ")
                        for text, changed in turn[side]:
                            ui.label(text).classes("changed" if changed else "")
