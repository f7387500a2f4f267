"""The commands that README.md, SECURITY.md and docs/ show, and which of them a test can't run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = (ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md")))
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
ANY_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`]+)`")
PROGRAM = re.compile(r"(?:[A-Z_]+=\S+ )*(?:make|python -m|curl|docker)(?: |$)")

EXEMPT = {
    r"make (run|logs|kafka)( [A-Z]+=\S+)*$": "runs until Ctrl-C; tests/local tries it",
    r"make (up|down)$": "starts and stops the shop of this test; tests/local/e2e/test_stack.py tries it",
    r"[A-Z_]+=4100 make up$": "moves the shop of this test to a port that another shop may have",
    r"([A-Z_]+=\S+ )+make up$": "restarts the shop of this test; tests/local/e2e/test_stack.py changes settings",
    r"make reset$": "deletes the data of the shop; tests/local tries it",
    r"make (env|secrets)$": "writes secrets into the clone; tests/local/test_envfile.py tries it",
    r"make (check|test)$": "runs this test",
    r"(CHAOS_LONG=1 )?make (chaos|soak|fuzz|bench|screenshots)$": "takes minutes, on a shop of its own",
    r"make follow ORDER=id$": "needs an order; tests/e2e/test_journeys.py follows one",
    r"make observe$": "starts servers beside the shop; tests/observe/integration/test_observe.py starts them",
    r"make load( [A-Z]+=\d+)*$": "takes a minute; tests/e2e/test_load.py tries it for some seconds",
    r"make seed-large( [A-Z]+=\d+)*$": "fills a shop; tests/seeding/integration/test_seeding.py writes a small one",
    r"make metrics$": "writes a page of the clone; tests/architecture/test_metrics.py compares it",
    r"make (lock|wheels|audit|pin)$": "needs a registry of packages or images",
    r"make test-deploy$": "needs a Docker engine",
    r"docker ": "needs a Docker engine",
    r"git ": "changes the clone; the rest of the line needs a Docker engine",
    r"export COMPOSE_FILE=": "is for commands that need a Docker engine",
    r"make manage .*createsuperuser": "asks at the terminal; order_service's own tests try it",
    r"make manage .*dlq replay": "handles events again that other tests have left",
    r"python -m bench\.\w+$": "takes minutes, and needs the packages of the clone's environment",
    r"python -m SERVICE (web|worker|check-worker)$": "is a process of the shop, or is run by its container",
}
"""Commands that no test runs, by their beginning, each with the reason. Their verbs, options and names are checked."""
BY_OTHERS = {"adding-a-service.md": "tests/architecture/test_recipe.py follows it literally"}


class Command(NamedTuple):
    """A command and the document that shows it."""

    document: str
    text: str

    @property
    def is_exempt(self) -> bool:
        return any(re.match(beginning, self.text) for beginning in EXEMPT)


def find_commands() -> list[Command]:
    """All commands, each once for a document."""
    found = [
        Command(path.name, text)
        for path in DOCUMENTS
        if path.name not in BY_OTHERS
        for text in _texts(path.read_text())
    ]
    return list(dict.fromkeys(found))


def _texts(document: str) -> Iterator[str]:
    for block in BLOCK.findall(document):
        for line in block.replace("\\\n", " ").splitlines():
            if text := re.sub(r"\s+#\s.*$", "", line).strip():
                yield re.sub(r" {2,}", " ", text)
    for span in INLINE.findall(ANY_BLOCK.sub("", document)):
        text = " ".join(span.split())
        if PROGRAM.match(text):
            yield text
