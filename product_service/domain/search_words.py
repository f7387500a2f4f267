"""The words by which products are found, in one form for what is stored and what is searched.

The form ignores case, accents and compatibility variants. All quotes and dashes are separators, whatever their kind. Parts that
are joined without a space, as in `lamp-stand` or `AB-12/3`, also count as pairs. So a search for `AB-12` does not find `12-AB`. A
word of a search matches when one of its forms is stored. English plurals have the form of their singular.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise

QUOTES = str.maketrans(dict.fromkeys("\u2018\u2019\u201b\u02bc\u02b9\u2032\u0060\u00b4\uff07", "'"))
IRREGULAR = {
    "children": "child",
    "feet": "foot",
    "geese": "goose",
    "men": "man",
    "mice": "mouse",
    "teeth": "tooth",
    "women": "woman",
}
MIN_PLURAL_LENGTH = 4  # shorter words that end with s are singular: bus, gas

Forms = frozenset[str]


def stored_words(texts: Iterable[str]) -> list[str]:
    """All forms of the words of a product's texts, sorted."""
    return sorted(frozenset[str]().union(*(forms for text in texts for forms in _words(text))))


def searched_words(search: str) -> list[Forms]:
    """For each word of a search its forms, of which a product must have one. Empty for a search without a letter or digit."""
    return list(dict.fromkeys(_words(search)))


def category_key(category: str) -> str:
    """The form in which categories are compared: without regard to case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", category).casefold())


def _words(text: str) -> Iterator[Forms]:
    """The forms of each part of each word, and of each pair of neighbouring parts."""
    for word in text.split():
        parts = [_forms(part) for part in _parts(word)]
        yield from parts
        for first, second in pairwise(parts):
            yield frozenset(f"{a}-{b}" for a in first for b in second)


def _parts(word: str) -> list[str]:
    """The runs of letters, marks and numbers, in the form for comparisons, without the `'s` of a possessive."""
    # A symbol such as ™ is a separator; its compatibility form would add letters to the word.
    plain = "".join(" " if unicodedata.category(c)[0] == "S" else c for c in word.translate(QUOTES))
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", plain).casefold())
    kept = "".join(c if _is_part_of_word(c) else " " for c in folded if not _is_ignored(c))
    return [part for run in kept.split() for part in _without_possessive(run).replace("'", " ").split()]


def _is_part_of_word(character: str) -> bool:
    return character == "'" or unicodedata.category(character)[0] in "LMN"


def _is_ignored(character: str) -> bool:
    """Accents, variation selectors, joiners. Vowel signs of Indic scripts have the combining class 0 and stay."""
    return bool(unicodedata.combining(character)) or character in "\u200c\u200d\ufe0e\ufe0f"


def _without_possessive(run: str) -> str:
    run = run.strip("'")
    return run.removesuffix("'s")


def _forms(word: str) -> Forms:
    return frozenset({word, *_singulars(word)})


def _singulars(word: str) -> Iterator[str]:
    """What `word` is the English plural of, if it is one. Some of the results are not words. They match nothing else."""
    if singular := IRREGULAR.get(word):
        yield singular
    if len(word) < MIN_PLURAL_LENGTH or not word.isascii() or not word.isalpha() or not word.endswith("s"):
        return
    if word.endswith("ss"):
        return
    yield word[:-1]  # lamps, cases, shoes
    if word.endswith("ies"):
        yield word[:-3] + "y"  # batteries
    elif word.endswith("ves"):
        yield word[:-3] + "f"  # shelves
        yield word[:-3] + "fe"  # knives
    elif word.endswith("zzes"):
        yield word[:-3]  # quizzes
        yield word[:-2]  # buzzes
    elif word.endswith(("ses", "xes", "zes", "ches", "shes", "oes")):
        yield word[:-2]  # buses, boxes, dishes, potatoes
