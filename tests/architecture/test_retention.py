"""Each table, collection and topic has a retention or a reason in docs/retention.md, and what is said there is so."""

import importlib
import re
from datetime import timedelta

import pytest
from django.apps import apps
from mongoengine import Document

from contracts import contracted_topics, topic_settings
from deploy.service_list import ROOT

PAGE = (ROOT / "docs" / "retention.md").read_text()
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
BOTH = SECTIONS["Both: collections"]
WEEK = timedelta(days=7)


def rows(section):
    """{name: (kept, how)}"""
    return {
        name: (kept, how)
        for names, kept, how in re.findall(r"^\| (`[^|]*) \| ([^|]*) \| ([^|]*) \|$", section, re.MULTILINE)
        for name in re.findall(r"`([^`]+)`", names)
    }


def documents(service):
    module = importlib.import_module(f"{service}.store.documents")
    return {
        value._meta["collection"]: value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Document) and value is not Document
    }


def named_in(folder, pattern):
    sources = (path.read_text() for path in (ROOT / folder).rglob("*.py") if "tests" not in path.parts)
    return {name for source in sources for name in re.findall(pattern, source)}


def test_each_table_is_there():
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)} | {"django_migrations"}
    assert set(rows(SECTIONS["order_service: tables"])) == tables


@pytest.mark.parametrize("service", ["product_service", "user_service"])
def test_each_collection_of_a_service_is_there(service):
    own = set(documents(service)) | named_in(service, r'\w+_collection_name="(\w+)"')
    assert set(rows(SECTIONS[f"{service}: collections"])) == own


def test_each_collection_that_services_share_is_there():
    assert set(rows(BOTH)) == named_in("libs/mongo_store", r'db\["(\w+)"\]')


@pytest.mark.parametrize("service", ["product_service", "user_service"])
def test_a_collection_with_a_ttl_has_the_index_of_its_days(service):
    said = rows(SECTIONS[f"{service}: collections"])
    for name, document in documents(service).items():
        kept, how = said[name]
        found = [index["expireAfterSeconds"] for index in document._meta["indexes"] if "expireAfterSeconds" in index]
        assert bool(found) == how.startswith("TTL"), name
        if days := re.search(r"(\d+) days", kept):
            assert not found or found == [int(days[1]) * 24 * 3600], name


@pytest.mark.parametrize("topic", contracted_topics())
def test_each_topic_ends_or_is_compacted(topic):
    config = topic_settings(topic)[topic]["config"]
    assert "retention.ms" in config or "compact" in config["cleanup.policy"]
    (kept,) = re.findall(
        rf"^\| `{topic}` \| \w+ \| [^|]* \| ([^|]*) \|", (ROOT / "docs" / "events.md").read_text(), re.MULTILINE
    )
    assert kept.startswith("the newest per key") == ("compact" in config["cleanup.policy"])
    if number := re.search(r"(\d+) (hour|day)", kept):
        hours = int(number[1]) * (24 if number[2] == "day" else 1)
        assert config["retention.ms"] == str(hours * 3_600_000)


def test_the_topics_without_a_schema_are_there():
    private = {
        name
        for service in ("user", "product", "order", "notification")
        for name in importlib.import_module(f"{service}_service.events.topics").topics()
    } - set(contracted_topics())
    assert {"*.dlq" if name.endswith(".dlq") else name for name in private} == set(rows(SECTIONS["Topics"]))
