"""The words by which products are found, in one form for what is stored and what is searched.

The form ignores case, accents, compatibility variants and the script of digits. All quotes and dashes are separators, of any kind.
Parts that are joined without a space, as in `lamp-stand` or `AB-12/3`, also count as pairs. So a search for `AB-12` does not
find `12-AB`. A word of a search matches when one of its forms is stored. English plurals have the form of their singular.

Chinese, Japanese, Thai and others are written without spaces. Of a run of such characters each two neighbours are a word, and each
single one is stored as well. So a search finds a word within such a run.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise

FORMS_VERSION = 2
"""Of these rules. The command `indexes` makes the words of a product anew that has those of earlier rules."""
QUOTES = str.maketrans(
    dict.fromkeys(
        "\u2018\u2019\u201b\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u2032\u0060\u00b4\u055a\u05f3\ua78c\uff07", "'"
    )
)
LATIN = str.maketrans(
    {"æ": "ae", "ð": "d", "đ": "d", "ħ": "h", "\u0131": "i", "ł": "l", "ø": "o", "œ": "oe", "þ": "th", "ŧ": "t"}
)
"""Letters that have no accent in Unicode, and that people write without their stroke."""
# Han, Hiragana and Katakana with their signs, Thai, Lao, Myanmar, Khmer. NFKD leaves no half-width and no compatibility forms.
UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]+)"
)
IRREGULAR = {
    "cacti": "cactus",
    "children": "child",
    "dice": "die",
    "feet": "foot",
    "geese": "goose",
    "indices": "index",
    "men": "man",
    "mice": "mouse",
    "oxen": "ox",
    "people": "person",
    "teeth": "tooth",
    "women": "woman",
}
MIN_PLURAL_LENGTH = 4  # shorter words that end with s are singular: bus, gas
SHORT_PLURAL = re.compile(r"[b-df-hj-np-tv-xz]{2}s")  # but for abbreviations: TVs, CDs

Forms = frozenset[str]


def stored_words(texts: Iterable[str]) -> list[str]:
    """All forms of the words of a product's texts, sorted."""
    words = frozenset[str]().union(*(forms for text in texts for forms in _words(text)))
    return sorted(words.union(*(word for word in words if UNSPACED.fullmatch(word))))


def searched_words(search: str) -> list[Forms]:
    """For each word of a search its forms, of which a product must have one. Empty for a search without a letter or digit."""
    return list(dict.fromkeys(_words(search)))


def category_key(category: str) -> str:
    """The form in which categories are compared: without regard to case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", category).casefold())


def _words(text: str) -> Iterator[Forms]:
    """The forms of each part of each word, and of each pair of neighbouring parts."""
    for word in text.split():
        parts = []
        for run in (run for part in _parts(word) for run in UNSPACED.split(part) if run):
            if UNSPACED.fullmatch(run):
                yield from (frozenset({pair}) for pair in (map("".join, pairwise(run)) if len(run) > 1 else run))
            else:
                parts.append(_forms(run))
        yield from parts
        for first, second in pairwise(parts):
            yield frozenset(f"{a}-{b}" for a in first for b in second)


def _parts(word: str) -> list[str]:
    """The runs of letters, marks and numbers, in the form for comparisons, without the `'s` of a possessive."""
    # A symbol such as ™ is a separator; its compatibility form would add letters to the word.
    plain = "".join(" " if unicodedata.category(c)[0] == "S" else c for c in word.translate(QUOTES))
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", plain).casefold()).translate(LATIN)
    kept = "".join(_plain_digit(c) if _is_part_of_word(c) else " " for c in folded if not _is_ignored(c))
    return [part for run in kept.split() for part in _without_possessive(run).replace("'", " ").split()]


def _is_part_of_word(character: str) -> bool:
    return character == "'" or unicodedata.category(character)[0] in "LMN"


def _plain_digit(character: str) -> str:
    return str(unicodedata.decimal(character, character))


def _is_ignored(character: str) -> bool:
    """Accents, variation selectors, joiners, Arabic's line. Vowel signs of Indic scripts have the combining class 0 and stay."""
    return bool(unicodedata.combining(character)) or character in "\u0640\u200c\u200d\ufe0e\ufe0f"


def _without_possessive(run: str) -> str:
    run = run.strip("'")
    return run.removesuffix("'s")


def _forms(word: str) -> Forms:
    return frozenset({word, *_singulars(word)})


def _singulars(word: str) -> Iterator[str]:
    """What `word` is the English plural of, if it is one. Some of the results are not words. They match nothing else."""
    if singular := IRREGULAR.get(word) or IRREGULAR.get(word.removesuffix("s")):  # also without its apostrophe: womens
        yield singular
    if not word.isascii() or not word.isalpha() or not word.endswith("s"):
        return
    if len(word) < MIN_PLURAL_LENGTH and not SHORT_PLURAL.fullmatch(word):
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
