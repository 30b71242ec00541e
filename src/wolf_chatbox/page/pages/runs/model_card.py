"""A model card as a page may show it: Markdown from anybody, without HTML, pictures and scripts of theirs."""

from __future__ import annotations

import html
from html.parser import HTMLParser

TAGS = frozenset(
    [
        "p",
        "ul",
        "ol",
        "li",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "code",
        "pre",
        "strong",
        "em",
        "blockquote",
        "hr",
        "br",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "span",
        "del",
    ]
)
HEADINGS = {"h1": "h3", "h2": "h3", "h3": "h4", "h4": "h5", "h5": "h6"}
"""A card's headings stand below the page's own."""
EMPTY = ("hr", "br")
HIDDEN = ("script", "style", "template", "iframe", "object", "noscript")


def without_front_matter(card: str) -> str:
    """The text of a card below its YAML."""
    if card.startswith("---\n"):
        _, _, rest = card[4:].partition("\n---\n")
        return rest or card
    return card


def harmless(page: str) -> str:
    """HTML made anew of the allowed tags alone, without attributes but the addresses of links to the web."""
    writer = _Writer()
    writer.feed(page)
    writer.close()
    return "".join(writer.written) + "".join(f"</{tag}>" for tag in reversed(writer.open))


class _Writer(HTMLParser):
    """Writes what is allowed; everything else is left out, its text stays."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.written: list[str] = []
        self.open: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in HIDDEN:
            self.hidden += 1
        elif tag in TAGS and not self.hidden:
            tag = HEADINGS.get(tag, tag)
            self.written.append(f"<{tag}>")
            if tag not in EMPTY:
                self.open.append(tag)
        elif tag == "a" and not self.hidden:
            address = dict(attrs).get("href") or ""
            allowed = address.lower().startswith(("https://", "http://"))
            to = f' href="{html.escape(address)}" rel="noopener noreferrer" target="_blank"' if allowed else ""
            self.written.append(f"<a{to}>")
            self.open.append("a")

    def handle_endtag(self, tag: str) -> None:
        tag = HEADINGS.get(tag, tag)
        if tag in HIDDEN:
            self.hidden = max(0, self.hidden - 1)
        elif tag in self.open and not self.hidden:
            while (last := self.open.pop()) != tag:
                self.written.append(f"</{last}>")
            self.written.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.written.append(html.escape(data, quote=False))
