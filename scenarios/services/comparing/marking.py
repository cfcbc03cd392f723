"""Two texts cut into what they share and what only one of them has."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

# Equal text shorter than this between two differences belongs to the difference.
SHORT = 2
WORD = re.compile(r"[0-9A-Za-z.%]+|.", re.S)
# Longer texts are compared by their sentences.
LONG = 2000
SENTENCE = re.compile(r"[^。；;\n]*[。；;\n]|[^。；;\n]+")


@dataclass(frozen=True)
class Mark:
    """A stretch of a text; `changed` when the other text has it not."""

    text: str
    changed: bool


def marks(before: str, after: str) -> tuple[tuple[Mark, ...], tuple[Mark, ...]]:
    """Both texts cut into what they share and what only one has."""
    unit = WORD if max(len(before), len(after)) <= LONG else SENTENCE
    words = unit.findall(before), unit.findall(after)
    left: list[Mark] = []
    right: list[Mark] = []
    for kind, a, b, c, d in SequenceMatcher(None, *words, autojunk=False).get_opcodes():
        old, new = "".join(words[0][a:b]), "".join(words[1][c:d])
        between = left and right and b < len(words[0]) and d < len(words[1])
        changed = kind != "equal" or bool(between and len(old) < SHORT)
        _add(left, old, changed)
        _add(right, new, changed)
    return tuple(left), tuple(right)


def _add(texts: list[Mark], text: str, changed: bool) -> None:
    if not text:
        return
    if texts and texts[-1].changed == changed:
        text = texts.pop().text + text
    texts.append(Mark(text, changed))
