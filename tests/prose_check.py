"""A check of the prose, part of `make lint`: `python -m tests.prose_check [PATH…]`.

It reads Markdown, docstrings, comments, log events, the names of tests, and the texts of pages and mails.
It flags sentences of more than 30 words, and words for which the field has a term. docs/glossary.md lists the terms.
Benchmark results and fault tests are not read.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
MAX_WORDS = 30  # a sentence; twenty is the aim
INSTEAD = {
    "away": "unavailable",
    "lane": "handler thread",
    "lanes": "handler threads",
    "bury": "dead-letter",
    "buried": "dead-lettered",
    "revive": "requeue",
    "in hand": "in flight",
    "nobody": "name the actor",
    "whoever": "name the actor",
    "gone": "deleted, ended, missing",
    "fate": "outcome",
    "asked again": "resent",
    "put aside": "dead-lettered",
    "turn us away": "end the connection",
    "turned us away": "ended the connection",
    "is well": "is healthy",
    "told": "shown, sent, reported",
    "tells": "shows, reports",
    "once more": "again",
    "meanwhile": "at the same time",
    "lies": "is",
    "stands on": "uses",
    "out is out": "access is revoked",
    "door": "entry, or the thing itself",
    "looks": "reads, checks, shows",
    "wants": "needs, requires",
    "mailed": "sent",
    "forget": "delete, erase",
    "keeps at it": "retries",
    "no harm": "has no effect",
}
"""A word or phrase, and what to write instead."""

FLAGGED = re.compile(r"\b(" + "|".join(sorted(map(re.escape, INSTEAD), key=len, reverse=True)) + r")\b", re.IGNORECASE)
SENTENCE_END = re.compile(r"(?<=[.!?:])[)\"'*_]*\s+")
CODE = re.compile(r"```.*?```|`[^`\n]*`|\{[{%#].*?[}%#]\}|https?://\S+", re.DOTALL)
LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical"}
UNREAD = re.compile(r"(^|/)(chaos|migrations|results)/|^LICENSE|^NOTICE|/LICENSE|/test_prose_check\.py$")


class Text(NamedTuple):
    """A piece of prose. `line`: where it begins, from 1."""

    path: Path
    line: int
    text: str


def main(arguments: list[str]) -> int:
    """Print a line for each finding; return 1 when there is one."""
    paths = [Path(a).resolve() for a in arguments] or [ROOT]
    findings = [f for text in texts(tracked(paths)) for f in check(text)]
    sys.stdout.writelines(f"{finding}\n" for finding in findings)
    sys.stdout.write(f"{len(findings)} sentences to rewrite\n" if findings else "")
    return bool(findings)


def tracked(paths: Iterable[Path]) -> Iterator[Path]:
    """The files below `paths` that git knows or that are new, and that are read."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if not UNREAD.search(name) and path.is_file() and any(path.is_relative_to(p) for p in paths):
            yield path


def texts(paths: Iterable[Path]) -> Iterator[Text]:
    """All prose of the files."""
    readers = {".py": read_python, ".md": read_markdown, ".html": read_template, ".txt": read_template}
    for path in paths:
        if path.suffix in readers and (path.suffix != ".txt" or "templates" in path.parts):
            yield from readers[path.suffix](path)


def read_markdown(path: Path) -> Iterator[Text]:
    """Each paragraph, list item, heading and table cell."""
    source = re.sub(r"```.*?```", lambda m: "\n" * m.group().count("\n"), path.read_text(), flags=re.DOTALL)
    block: list[str] = []
    begun = 1
    for number, line in enumerate([*source.splitlines(), ""], 1):
        ends = not line.strip() or re.match(r"\s*([-*#|>]|\d+\.)(\s|$)|\s*\|", line)
        if ends and block:
            yield Text(path, begun, " ".join(block))
            block = []
        if line.lstrip().startswith("|"):
            for cell in re.split(r"(?<!\\)\|", line):
                yield Text(path, number, cell)
        elif line.strip():
            begun = begun if block else number
            block.append(re.sub(r"^\s*([-*#>]+|\d+\.)\s+", "", line))


def read_python(path: Path) -> Iterator[Text]:
    """Docstrings, comments, log events and the names of tests."""
    source = path.read_text()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            line = node.lineno
            for paragraph in re.split(r"\n\s*\n|\n(?=\s*[-*] )|(?<=\S)   +(?=\S)", node.value.value):
                yield Text(path, line, paragraph)
                line += paragraph.count("\n") + 1
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield Text(path, node.lineno, node.name.removeprefix("test_").replace("_", " "))
        elif is_log_call(node) and node.args and isinstance(node.args[0], ast.Constant):
            yield Text(path, node.lineno, str(node.args[0].value))
    block: list[str] = []
    begun, last = 0, -1
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            comment = re.split(r"\b(?:noqa|type: ignore)\b", token.string.lstrip("# "))[0]
            if token.start[0] != last + 1:
                if block:
                    yield Text(path, begun, " ".join(block))
                block, begun = [], token.start[0]
            block.append(comment)
            last = token.start[0]
    if block:
        yield Text(path, begun, " ".join(block))


def is_log_call(node: ast.AST) -> bool:
    """Whether `node` is a call such as `log.info(…)`."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LOG_METHODS
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "log"
    )


def read_template(path: Path) -> Iterator[Text]:
    """What a page or a mail says."""
    source = re.sub(
        r"<(style|script|svg)\b.*?</\1>", lambda m: "\n" * m.group().count("\n"), path.read_text(), flags=re.DOTALL
    )
    source = re.sub(r"<!--.*?-->|\{#.*?#\}|\{%.*?%\}", lambda m: "\n" * m.group().count("\n"), source, flags=re.DOTALL)
    source = re.sub(r"<[^>]*>", lambda m: "|" + "\n" * m.group().count("\n"), source, flags=re.DOTALL)
    line = 1
    for piece in source.split("|"):
        if piece.strip():
            yield Text(path, line, piece)
        line += piece.count("\n")


def check(piece: Text) -> Iterator[str]:
    """A line for each sentence that is too long, and for each flagged word."""
    prose = CODE.sub("X", piece.text)
    place = f"{piece.path.relative_to(ROOT)}:{piece.line}"
    for sentence in SENTENCE_END.split(prose):
        words = re.findall(r"[\w'-]+", sentence)
        short = " ".join(sentence.split())
        if len(words) > MAX_WORDS:
            yield f"{place}: {len(words)} words: {short}"
        for found in FLAGGED.finditer(sentence):
            yield f"{place}: “{found.group()}” ({INSTEAD[found.group().lower()]}): {short[:140]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
