"""The check of the prose flags long sentences and listed words, and reads each kind of file."""

from pathlib import Path

import pytest

from tests import prose_check
from tests.prose_check import ROOT, Text, check

LONG = "one " * 31 + "end."


def findings(text: str) -> list[str]:
    return list(check(Text(ROOT / "README.md", 7, text)))


def test_a_sentence_of_thirty_words_passes_and_one_of_thirty_one_does_not():
    assert findings("word " * 29 + "end.") == []
    assert len(findings("word " * 30 + "end.")) == 1
    assert findings("word " * 20 + "end. " + "word " * 20 + "end.") == []


def test_a_listed_word_is_flagged_with_its_term_and_place():
    assert findings("The broker is away.") == ["README.md:7: “away” (unavailable): The broker is away."]
    assert findings("Run `away` or {% away %}.") == []
    assert findings("Keep it in\nhand.") == []


@pytest.mark.parametrize(
    ("name", "source", "lines"),
    [
        ("a.py", f'"""{LONG}"""\n# {LONG}\nlog.info("{LONG}")\nx = "{LONG}"\n', [1, 2, 3]),
        ("a.py", "def test_a_server_that_is_away() -> None:\n    pass\n", [1]),
        ("a.md", f"# {LONG}\n\n{LONG}\n\n| {LONG} |\n\n```\n{LONG}\n```\n", [1, 3, 5]),
        ("a.html", f"<p>{LONG}</p>\n<script>{LONG}</script>{{# {LONG} #}}\n<b>\n{LONG}</b>", [1, 3]),
    ],
)
def test_each_kind_of_file_is_read(monkeypatch, tmp_path, name, source, lines):
    monkeypatch.setattr(prose_check, "ROOT", tmp_path)
    path = Path(tmp_path, name)
    path.write_text(source)
    found = sorted({piece.line for piece in prose_check.texts([path]) if list(check(piece))})
    assert found == lines
