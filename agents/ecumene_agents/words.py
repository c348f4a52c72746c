"""Words: what people type becomes plain tokens, slips of the finger included; what NPCs say is inert text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

LONGEST: Final = 500
"""Longest text read or said, characters."""

_TOKEN: Final = re.compile(r"[a-z0-9]+(?:'[a-z]+)?")
_SHORT_FORMS: Final = (
    *(("what's", "what is"), ("where's", "where is"), ("who's", "who is"), ("how's", "how is"), ("it's", "it is")),
    *(("that's", "that is"), ("i'm", "i am"), ("you're", "you are"), ("we're", "we are"), ("there's", "there is")),
    *(("let's", "let us"), ("don't", "do not"), ("can't", "can not"), ("isn't", "is not"), ("aren't", "are not")),
    *(("whats", "what is"), ("wheres", "where is"), ("whos", "who is"), ("hows", "how is"), ("im", "i am")),
    *(("youre", "you are"), ("dont", "do not"), ("cant", "can not"), ("thats", "that is")),
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


class Speller:
    """Finds the known word that a slip of the finger was meant to be.

    Attributes:
        words: The known words.

    Source: the index by deletions is that of Garbe's SymSpell.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = frozenset(words)
        self._meant: dict[str, list[str]] = {}
        for word in sorted(self.words):
            for shorter in _deletions(word, _slips(word)) if len(word) > 3 else ():
                self._meant.setdefault(shorter, []).append(word)

    def nearest(self, word: str) -> str | None:
        """Returns the known word nearest to an unknown one, None if none is near enough.

        One edit is forgiven, two in words of eight letters and more; four letters may lack one but not be changed, so
        that short words that mean something else stay what they are.
        """
        allowed = 0 if word.isdigit() else _slips(word)
        found = {other for shorter in _deletions(word, allowed) for other in self._meant.get(shorter, ())}
        near = [other for other in found if len(word) > 4 or len(other) > len(word)]
        ranked = [(_distance(word, other, allowed), other[0] != word[0], other) for other in near]
        return min((each for each in ranked if each[0]), default=(0, False, None))[2]


def corrected(words: Iterable[str], spellers: Sequence[Speller]) -> list[str]:
    """Returns the words with those that no speller knows replaced by what they are a slip of, if anything."""
    return [word if any(word in speller.words for speller in spellers) else _meant(word, spellers) for word in words]


def _meant(word: str, spellers: Sequence[Speller]) -> str:
    found = (speller.nearest(word) for speller in spellers)
    return next((other for other in found if other is not None), word)


def _slips(word: str) -> int:
    """Returns how many edits are forgiven in a word."""
    return 0 if len(word) < 4 or len(word) > 30 else 1 if len(word) < 8 else 2


def _deletions(word: str, most: int) -> set[str]:
    """Returns the word and what is left of it without up to `most` letters."""
    found = {word}
    for _ in range(most):
        found |= {each[:i] + each[i + 1 :] for each in found for i in range(len(each))}
    return found


def _distance(a: str, b: str, most: int) -> int:
    """Returns by how many edits two words differ, 0 if by more than `most`."""
    return next((edits for edits in range(1, most + 1) if within(a, b, edits)), 0)


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
