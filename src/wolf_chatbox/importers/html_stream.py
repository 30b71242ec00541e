"""HTML, read piece by piece with lxml: a page of any size takes the memory of its largest wanted element."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lxml import etree, html

from wolf_chatbox.importers.source import Source

CHUNK = 1 << 16
BLOCKS = frozenset(
    ["blockquote", "dd", "div", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "li", "p", "pre", "table", "tr"]
)
"""Elements that stand on lines of their own."""
SILENT = frozenset(("script", "style", "head", "template"))


def elements(source: Source, wanted: Callable[[html.HtmlElement], bool]) -> Iterator[html.HtmlElement]:
    """Yield each element that is `wanted` when it is whole, the inner before the outer, and then empty it.

    What comes before it is forgotten as well. A page that is cut off or damaged is read as a browser would.
    """
    parser = etree.HTMLPullParser(events=("end",), huge_tree=True)
    with source.open_text() as file:
        while piece := file.read(CHUNK):
            parser.feed(piece)
            yield from _wanted(parser, wanted)
    parser.close()
    yield from _wanted(parser, wanted)


def _wanted(parser: etree.HTMLPullParser, wanted: Callable[[html.HtmlElement], bool]) -> Iterator[html.HtmlElement]:
    for _, element in parser.read_events():
        if wanted(element):
            yield element
            element.clear(keep_tail=True)
            while (before := element.getprevious()) is not None:
                element.getparent().remove(before)


def text_of(element: html.HtmlElement) -> str:
    """The text that a reader of the page sees: `<br>` and blocks begin lines, runs of other space are one space.

    Within `<pre>` the ends of lines stay as well.
    """
    parts: list[str] = []
    _collect(element, parts)
    lines = (" ".join(line.split()) for line in "".join(parts).split("\n"))
    return "\n".join(lines).strip("\n")


def text_of_markup(markup: str) -> str:
    """The text of a piece of HTML, such as the content of a message; plain text is as it was, but for its space."""
    if "<" not in markup and "&" not in markup:
        return markup
    return text_of(html.fromstring(f"<div>{markup}</div>"))


def _collect(element: html.HtmlElement, parts: list[str]) -> None:
    """Add the pieces of an element's text, without recursion: elements may be nested thousands deep."""
    waiting: list[tuple[html.HtmlElement | str, bool]] = [(element, False)]
    while waiting:
        part, as_is = waiting.pop()  # within <pre>, lines end where they end
        if isinstance(part, str):
            parts.append(part if as_is else part.replace("\n", " "))
            continue
        inner: list[tuple[html.HtmlElement | str, bool]] = []
        if isinstance(part.tag, str) and part.tag not in SILENT:
            edge = "\n" if part.tag == "br" or (part.tag in BLOCKS and part is not element) else ""
            kept = as_is or part.tag == "pre"
            inner += [(edge, True), (part.text or "", kept)]
            for child in part:
                inner += [(child, kept), (child.tail or "", kept)]
            inner.append(("\n" if part.tag in BLOCKS and part is not element else "", True))
        waiting += reversed(inner)
