"""HTML, read piece by piece with lxml: a page of any size takes the memory of its largest wanted element.

lxml reads as a browser does: unclosed and wrongly nested elements, unknown entities and attributes of any length are no
errors. It knows at most 2,048 elements within each other.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator

from lxml import etree
from lxml.html import HtmlElement, HTMLParser

from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import Source

CHUNK = 1 << 16
RENEW = 1 << 22
"""Characters after which a new parser goes on: libxml2's keeps all that it was fed."""
TAGS = re.compile(r"[^>]*>|[^>]+")
"""The pieces of a page that end with a tag: nothing waits in the parser behind one that closes an element."""
BLOCKS = frozenset(
    ["blockquote", "dd", "div", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "li", "p", "pre", "table", "tr"]
)
"""Elements that stand on lines of their own."""
SILENT = frozenset(("script", "style", "head", "template"))
SPACE = re.compile(r"[ \t\r\f\xa0]+")
"""What a page shows as one space: not the wide one of Japanese."""
TAG = re.compile(r"<[^<>]{0,1000}>")
MARKUP = re.compile(r"[<&]")


def elements(source: Source, wanted: Callable[[HtmlElement], bool]) -> Iterator[HtmlElement]:
    """Yield each element that is `wanted` when it is whole, the inner before the outer, and then empty it.

    What comes before it is forgotten as well. A page that is cut off or damaged is read as a browser would.
    Raises DataError where elements are nested too deep.
    """
    parser, fed = _parser(), 0
    clear: dict[HtmlElement, None] = {}
    with source.open_text() as file:
        while piece := file.read(CHUNK):
            for part in [piece] if fed < RENEW else TAGS.findall(piece):
                parser.feed(part)
                fed += len(part)
                last = None
                for _, element in parser.read_events():
                    last = element if wanted(element) else None
                    if last is not None:
                        yield element
                        _forget(element, clear)
                if part is not piece and fed >= RENEW and last is not None and _ends(last):
                    opening = "".join(_opening(outer) for outer in reversed([*last.iterancestors()]))
                    parser, fed, clear = _parser(), 0, {}
                    parser.feed(opening)
            if _too_deep(parser.feed_error_log):
                raise DataError(f"{source.path}: its elements are nested too deep. Export the chat again.")
    parser.close()
    for _, element in parser.read_events():  # those that nothing closed
        if wanted(element):
            yield element
            element.clear(keep_tail=True)


def _parser() -> etree.HTMLPullParser:
    parser = etree.HTMLPullParser(events=("end",), huge_tree=True, remove_comments=True, remove_pis=True)
    parser.set_element_class_lookup(etree.ElementDefaultClassLookup(element=HtmlElement))
    return parser


def _forget(element: HtmlElement, clear: dict[HtmlElement, None]) -> None:
    """Empty an element, and remove what stands before it and before the elements around it.

    `clear` are the open elements, outermost first, before which nothing stands since the last time.
    """
    element.clear(keep_tail=True)
    around = []
    while (outer := element.getparent()) is not None:
        while (before := element.getprevious()) is not None:
            outer.remove(before)
        if outer in clear:
            break
        around.append(outer)
        element = outer
    while clear and next(reversed(clear)) is not outer:
        clear.popitem()
    clear |= dict.fromkeys(reversed(around))


def _ends(element: HtmlElement) -> bool:
    """Whether nothing behind the element was read: it is closed, and all that it stands in is open."""
    while element is not None:
        if element.tail or element.getnext() is not None:
            return False
        element = element.getparent()
    return True


def _opening(element: HtmlElement) -> str:
    attributes = (f' {name}="{html.escape(value)}"' for name, value in element.items())
    return f"<{element.tag}{''.join(attributes)}>"


def _too_deep(log: etree._ListErrorLog) -> bool:
    """Whether the parser has given up: it goes on to swallow what it is fed."""
    error = log.last_error
    return error is not None and error.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT


def text_of(
    element: HtmlElement, instead: Callable[[HtmlElement], str | None] | None = None, *, lines: bool = False
) -> str:
    """The text that a reader of the page sees: `<br>` and blocks begin lines, runs of other space are one space.

    `instead` gives the text to show in an element's place (the smiley of an image, nothing for a quote), None for what
    it holds. With `lines`, as in `<pre>`, the text's own line ends are lines too.
    """
    parts: list[str] = []
    begun = False
    for piece in _pieces(element, instead, lines):
        if piece is not None:
            parts.append(piece)
            _, cut, rest = piece.rpartition("\n")
            begun = bool(rest.strip()) or (begun and not cut)
        elif begun:  # the edge of a block begins a line, but no empty one
            parts.append("\n")
            begun = False
    return "\n".join(SPACE.sub(" ", line).strip(" ") for line in "".join(parts).split("\n")).strip("\n")


def text_of_markup(
    markup: str, instead: Callable[[HtmlElement], str | None] | None = None, *, lines: bool = False
) -> str:
    """The text of a piece of HTML, such as the content of a message; plain text is as it was."""
    if not MARKUP.search(markup):
        return markup
    if "<" not in markup:
        return html.unescape(markup).replace("\xa0", " ")
    parser = HTMLParser(huge_tree=True, remove_comments=True, remove_pis=True)
    whole = etree.fromstring(f"<div>{markup.encode(errors='replace').decode()}</div>", parser)
    if _too_deep(parser.error_log):
        return html.unescape(TAG.sub(" ", markup))
    return text_of(whole, instead, lines=lines)


def _pieces(
    element: HtmlElement, instead: Callable[[HtmlElement], str | None] | None, lines: bool
) -> Iterator[str | None]:
    """The pieces of an element's text, None for the edge of a block; without recursion: nesting may be deep."""
    waiting: list[tuple[HtmlElement | str | None, bool]] = [(element, lines)]
    while waiting:
        part, kept = waiting.pop()
        if part is None or isinstance(part, str):
            yield part if part is None or kept else part.replace("\n", " ")
        elif not isinstance(part.tag, str) or part.tag in SILENT:
            continue
        elif part.tag == "br":
            yield "\n"
        elif instead and part is not element and (shown := instead(part)) is not None:
            yield shown
        else:
            kept = kept or part.tag == "pre"
            block = part.tag in BLOCKS
            inner: list[tuple[HtmlElement | str | None, bool]] = [(None, kept)] if block else []
            inner.append((part.text or "", kept))
            for child in part:
                inner += [(child, kept), (child.tail or "", kept)]
            waiting += reversed([*inner, (None, kept)] if block else inner)
