"""HTML piece by piece: what a reader of the page sees, of pages of any size, whole or damaged."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from lxml.html import HtmlElement

from wolf_chatbox.errors import DataError
from wolf_chatbox.importers.files.source import Source
from wolf_chatbox.importers.streams import html_stream
from wolf_chatbox.importers.streams.html_stream import CHUNK, elements, text_of, text_of_markup


def texts(folder: Path, page: str, tag: str = "p") -> list[str]:
    """The texts of the elements with the tag."""
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    return [text_of(element) for element in elements(Source.open(path), lambda element: element.tag == tag)]


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        ("plain, as  it was\n", "plain, as  it was\n"),
        ("&lt;3 &amp;amp; &#128578;", "<3 &amp; 🙂"),
        ("a  b\n c<br>\n d", "a b c\nd"),
        ("a<br><br>b", "a\n\nb"),
        ("<p>a</p><p>b</p>", "a\nb"),
        ("<p>a</p>\n<p>&nbsp;</p>\n<p>b</p>", "a\nb"),
        ("<div>a<div>b</div>c</div>d", "a\nb\nc\nd"),
        ("<ul><li>a</li><li>b<br></li></ul>", "a\nb"),
        ("<pre>a\n  b</pre>c", "a\nb\nc"),
        ("水の　音 <b>だ</b>", "水の　音 だ"),
        ("a&nbsp;b", "a b"),
        ("<b>a</b>&nbsp;&nbsp;b", "a b"),
        ("<script>x</script><style>y</style><!-- z --><?php w ?>", ""),
        ("<b>a<i>b</b>c</i>", "abc"),
        ("a </p> b </div> c", "a b\nc"),
        ("1 < 2 <3 <", "1 < 2 <3 <"),
        ("<b>half \ud83d a pair</b>", "half ? a pair"),
        ("<p></p>", ""),
    ],
)
def test_markup_is_read_as_a_browser_shows_it(markup: str, shown: str) -> None:
    assert text_of_markup(markup).strip() == shown.strip()


def test_lines_are_kept_where_they_are_lines() -> None:
    assert text_of_markup("a\n\nb <b>c</b>\n d") == "a b c d"
    assert text_of_markup("a\n\nb <b>c</b>\n d", lines=True) == "a\n\nb c\nd"


def test_another_text_may_stand_in_an_element_s_place() -> None:
    def instead(element: HtmlElement) -> str | None:
        return element.get("alt", "") if element.tag == "img" else "" if element.tag == "blockquote" else None

    markup = '<blockquote>old <b>words</b></blockquote>new <img alt="🙂"> ones'
    assert text_of_markup(markup, instead) == "new 🙂 ones"
    assert text_of_markup(markup) == "old words\nnew ones"


def test_markup_nested_deeper_than_the_parser_knows_is_not_lost() -> None:
    assert text_of_markup("<b>" * 5000 + "deep &amp; down").strip() == "deep & down"


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("<p>a<p>b<p>c<br>d", ["a", "b", "c\nd"]),
        ("<p>a</p>" + "</div>" * 1000 + "<p>b", ["a", "b"]),
        ("<p>cut <b>of", ["cut of"]),
        ("<p>a</p><p ", ["a"]),
        ('<p>a<img src="data:image/png;base64,' + "A" * 1_000_000 + '">b</p><p>c</p>', ["ab", "c"]),
        ("<p>" + "a " * CHUNK + "</p>", ["a " * (CHUNK - 1) + "a"]),
        ("<p>&nosuch; &#x110000; \x01</p>", ["&nosuch; \ufffd \x01"]),
        ('<head><meta charset="shift_jis"></head><p>水</p>', ["水"]),
        ("no element at all", []),
        ("<div>" * 2000 + "<p>deep</p>", ["deep"]),
        ("<!DOCTYPE html><html><p>a</p></html>" * 3, ["a", "a", "a"]),
    ],
)
def test_a_damaged_page_is_read_as_far_as_it_goes(tmp_path: Path, page: str, found: list[str]) -> None:
    assert texts(tmp_path, page, "p")[: len(found) or None] == found


def test_what_stands_behind_the_end_of_a_page_is_read_too(tmp_path: Path) -> None:
    assert texts(tmp_path, "></html><p>late", "p") == ["late"]


@pytest.mark.parametrize("end", ["", "</div></div>"])
def test_what_stands_in_another_is_read_once(tmp_path: Path, end: str) -> None:
    assert texts(tmp_path, "<div>a<div>b" + end, "div") == ["b", "a"]


def test_what_is_nested_too_deep_is_told_and_not_swallowed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"page\.html: its elements are nested too deep"):
        texts(tmp_path, "<p>a</p>" + "<span>" * 5000 + "<p>b</p>")


@pytest.mark.parametrize("chunk", [7, 100, 1500])
def test_a_new_parser_goes_on_where_the_one_before_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    """libxml2's parser for pages keeps all that it was fed."""
    message = '<div class="m"><img alt="1 > 2"> hello <b>{}</b><br>you &amp; <!-- > --> me</div>\n'
    page = (
        '<html><body><div class="o" id="a&quot;b">' + "".join(message.format(at) for at in range(200)) + "</div><p>end"
    )
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")
    monkeypatch.setattr(html_stream, "CHUNK", chunk)
    parsers = []
    monkeypatch.setattr(html_stream, "RENEW", 1000)
    monkeypatch.setattr(html_stream, "_parser", lambda make=html_stream._parser: parsers.append(make()) or parsers[-1])
    outer, said = set(), []
    for element in elements(Source.open(path), lambda element: element.get("class") == "m" or element.tag == "p"):
        outer.add(tuple((part.tag, part.get("id")) for part in element.iterancestors()))
        said.append(text_of(element))
    assert said == [*(f"hello {at}\nyou & me" for at in range(200)), "end"]
    assert outer == {(("div", 'a"b'), ("body", None), ("html", None)), (("body", None), ("html", None))}
    assert len(parsers) > 3


def test_a_long_page_takes_the_memory_of_an_element(tmp_path: Path) -> None:
    """lxml's tree is not in Python's memory: the elements that are still in it are counted."""
    path = tmp_path / "page.html"
    path.write_text("<html><body>" + "<div><div class=m>hello <b>you</b></div>\n</div>" * 20_000, encoding="utf-8")
    count = most = 0
    tracemalloc.start()
    try:
        for element in elements(Source.open(path), lambda element: element.get("class") == "m"):
            count += text_of(element) == "hello you"
            if not count % 1000:
                most = max(most, sum(1 for _ in element.getroottree().iter()))
        memory = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 20_000
    assert most < 10_000  # those of a piece that is parsed at once
    assert memory < 20 << 20
