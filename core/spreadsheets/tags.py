"""The tags and texts of a page, in time that grows with its length.

html.parser takes minutes over some pages of a few hundred KB, so it is no reader of strangers' files.
"""

import re
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple

# A quote begins a value only after an equals sign; elsewhere browsers take it for a letter.
TAG = re.compile(r"""<(/?)([A-Za-z][^\s/>]*+)((?:=\s*"[^"]*"|=\s*'[^']*'|[^>])*+)>""")
ATTRIBUTE = re.compile(r"""([^\s=/"'>]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]*)))?""")
# Of one tag's attributes, more than any page needs.
LONGEST = 10_000
# What stands inside these is no text of the page.
RAW = {tag: re.compile(rf"</{tag}\b", re.I) for tag in ("script", "style", "textarea", "title", "xml")}


class Tag(NamedTuple):
    """An opening or closing tag."""

    name: str
    closes: bool = False
    attributes: dict[str, str] = {}


def tokens(page: str) -> Iterator[Tag | str]:
    """Tags, and the texts between them as read. What never ends, as in browsers, ends the page."""
    at = 0
    while (start := page.find("<", at)) >= 0:
        if start > at:
            yield unescape(page[at:start])
        found = TAG.match(page, start)
        if found:
            name = found[2].lower()
            yield Tag(name, bool(found[1]), {} if found[1] else _attributes(found[3][:LONGEST]))
            at = found.end()
            if name in RAW and not found[1]:
                end = RAW[name].search(page, at)
                at = end.start() if end else len(page)
            continue
        if page.startswith("<!--", start):
            end = page.find("-->", start + 4)
            at = end + 3 if end >= 0 else len(page)
        elif re.match(r"[A-Za-z!?/]", page[start + 1 : start + 2]):
            end = page.find(">", start)
            at = end + 1 if end >= 0 else len(page)
        else:
            yield "<"
            at = start + 1
    if at < len(page):
        yield unescape(page[at:])


def _attributes(text: str) -> dict[str, str]:
    return {
        found[1].lower(): unescape(found[2] or found[3] or found[4] or "")
        for found in ATTRIBUTE.finditer(text)
    }
