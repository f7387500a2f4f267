"""The documents say what is there: every topic, every variable, every fault test, and no link into nothing."""

import re
from pathlib import Path

import pytest

from deploy.service_list import SERVICES

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "bench" / "README.md"]
CODE = ("libs", "bench", "chaos", "deploy", "contracts", "tests", *SERVICES)
TOPICS = [path.name.removesuffix(".v1.json") for path in (ROOT / "contracts" / "events").iterdir()]


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_is_in_the_list_of_events(topic):
    assert (ROOT / "docs" / "events.md").read_text().count(f"| `{topic}` |") == 2
    assert topic in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_links_between_documents_lead_somewhere(document):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text()):
        assert (document.parent / target).exists(), target


def test_the_files_that_the_architecture_page_names_exist_and_hold_what_it_says():
    page = (ROOT / "docs" / "architecture.md").read_text()
    paths = re.findall(r"`((?:libs|\w+_service)/[\w/]+\.py)`", page)
    assert len(paths) > 6
    assert [path for path in paths if not (ROOT / path).exists()] == []
    for name, path in re.findall(r"`(\w+)` in `([\w/]+\.py)`", page):
        assert name.lower() in (ROOT / path).read_text().lower(), path


def test_every_fault_test_is_named_beside_its_promise():
    named = (ROOT / "docs" / "guarantees.md").read_text()
    for path in (ROOT / "chaos").glob("test_*.py"):
        assert path.name in named


def test_every_test_that_the_security_page_names_exists():
    for path in re.findall(r"`((?:libs/|\w+_service/)?tests/[\w/]+\.py)`", (ROOT / "SECURITY.md").read_text()):
        assert (ROOT / path).exists(), path


def test_decisions_are_numbered_in_a_row():
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs" / "adr").iterdir())
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_decision_that_code_or_a_document_names_exists():
    numbers = {int(path.name[:4]) for path in (ROOT / "docs" / "adr").iterdir()}
    code = [path for folder in CODE for path in (ROOT / folder).rglob("*.py")]
    for path in (*DOCUMENTS, *code):
        text = path.read_text()
        listed = ",".join(re.findall(r"\bADRs? (\d+(?:(?:, | and )\d+)*)", text))
        named = {int(number) for number in (*re.findall(r"adr/(\d{4})", text), *re.findall(r"\d+", listed))}
        assert named <= numbers, path
