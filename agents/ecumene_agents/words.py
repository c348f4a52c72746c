"""Words: what people type becomes plain tokens, slips of the finger included; what NPCs say is inert text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Final

LONGEST: Final = 500
"""Longest text read or said, characters."""

_TOKEN: Final = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
_SHORT_FORMS: Final = (
    *(("what's", "what is"), ("where's", "where is"), ("who's", "who is"), ("how's", "how is"), ("it's", "it is")),
    *(("that's", "that is"), ("i'm", "i am"), ("you're", "you are"), ("we're", "we are"), ("there's", "there is")),
    *(("let's", "let us"), ("don't", "do not"), ("can't", "can not"), ("isn't", "is not"), ("aren't", "are not")),
    *(("i'd", "i would"), ("i've", "i have"), ("you've", "you have"), ("ur", "your"), ("u", "you"), ("r", "are")),
)
_EXPANDED: Final = dict(_SHORT_FORMS)
_BRACKETS: Final = str.maketrans({"<": "‹", ">": "›", "`": "'", "[": "(", "]": ")", "{": "(", "}": ")", "\\": "/"})

_UNSEEN: Final = {"Cc", "Cf", "Zl", "Zp", "Co", "Cs"}


def tokens(text: str) -> list[str]:
    """Returns the words of a text: lower case, accents and markup taken off, short forms written out."""
    folded = unicodedata.normalize("NFKD", text[:LONGEST].replace("’", "'").casefold())
    plain = "".join(letter for letter in folded if not unicodedata.combining(letter))
    words = _TOKEN.findall(re.sub(r"<[^<>]{0,200}>", " ", plain))
    return " ".join(_EXPANDED.get(word, word.removesuffix("'s")) for word in words).split()


def foreign(text: str) -> bool:
    """Tells whether most letters of a text are of another script than Latin."""
    letters = [letter for letter in text[:LONGEST] if letter.isalpha()]
    latin = sum(unicodedata.name(letter, "").startswith("LATIN") for letter in letters)
    return len(letters) > 2 * latin


def corrected(words: list[str], known: Collection[str]) -> list[str]:
    """Returns the words with those that are unknown replaced by the one known word they may be a slip of."""
    return [word if word in known else _nearest(word, known) for word in words]


def _nearest(word: str, known: Collection[str]) -> str:
    """Returns the known word within one edit (two for eight letters and more); the word itself if none, or several."""
    allowed = 0 if len(word) < 4 or word.isdigit() else 1 if len(word) < 8 else 2
    for distance in range(1, allowed + 1):
        near = sorted({other for other in known if len(other) > 3 and within(word, other, distance)})
        if len(near) == 1:
            return near[0]
        if near:
            same_start = [other for other in near if other[0] == word[0] and len(other) >= len(word)]
            return same_start[0] if same_start else near[0]
    return word


def within(a: str, b: str, most: int) -> bool:
    """Tells whether two words differ by at most `most` letters added, lost, changed or swapped with the next."""
    if abs(len(a) - len(b)) > most:
        return False
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        older, before, row = before, row, [i]
        for j, y in enumerate(b, start=1):
            cost = min(before[j] + 1, row[-1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return False
    return row[-1] <= most


def inert(text: str) -> str:
    """Returns a text that no reader takes for markup or control: at most 500 characters on one line."""
    kept = "".join(
        " " if unicodedata.category(letter) in {"Cc", "Cf", "Zl", "Zp", "Co", "Cs"} else letter for letter in text
    )
    line = " ".join(kept.translate(_BRACKETS).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1].rstrip() + "…"


def listed(items: list[str], joint: str = "and") -> str:
    """Returns "a", "a and b" or "a, b and c"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {joint} {items[-1]}"


def with_article(noun: str) -> str:
    """Returns a noun with "a" or "an"."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"
