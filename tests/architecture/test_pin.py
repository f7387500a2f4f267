"""`make pin` finds each image from elsewhere, and changes nothing else."""

import os
from collections import defaultdict

from deploy import pin
from deploy.service_list import ROOT

DIGEST = "sha256:" + "0" * 64
TEXTS = {path: path.read_text() for pattern in pin.FILES for path in ROOT.glob(pattern)}


def test_every_image_from_elsewhere_gets_a_digest_once():
    for text in TEXTS.values():
        pinned = pin.pin(text, dict.fromkeys(pin.images(text), DIGEST))
        assert pin.images(pinned) == set()
        assert pinned.replace(f"@{DIGEST}", "") == text.replace(f"@{DIGEST}", "")


def test_images_of_our_own_are_left_out():
    found = {image.partition("@")[0] for text in TEXTS.values() for image in pin.images(text)}
    assert not [image for image in found if image.startswith("microshop/")]
    for name in ("apache/kafka", "mongo", "mysql", "zookeeper", "python", "debian", "certbot/certbot"):
        assert name in {image.partition(":")[0] for image in found} or f"{name}:" in "".join(TEXTS.values())


def test_the_digest_is_that_of_the_registry(tmp_path, monkeypatch):
    engine = tmp_path / "docker"
    engine.write_text(f'#!/bin/sh\n[ "$1" = pull ] || echo mongo@{DIGEST}\n')
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert pin.digest("mongo:8.0.20") == DIGEST


def test_without_a_registry_nothing_is_written(tmp_path, monkeypatch, capsys):
    engine = tmp_path / "docker"
    engine.write_text("#!/bin/sh\necho no route to the registry >&2\nexit 1\n")
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(pin, "FILES", ("deploy/compose/zookeeper.yaml",))
    monkeypatch.setattr(pin, "images", lambda text: {"zookeeper:3.9.4"})
    assert pin.main() == 1
    assert "no route to the registry" in capsys.readouterr().err
    assert {path: path.read_text() for path in TEXTS} == TEXTS


def test_an_image_has_one_tag_in_all_files_but_kafka_with_zookeeper():
    tags = defaultdict[str, set[str]](set)
    for image in {image for text in TEXTS.values() for image in pin.images(text)}:
        name, _, tag = image.partition("@")[0].rpartition(":")
        tags[name].add(tag)
    several = {name: found for name, found in tags.items() if len(found) > 1}
    assert {name: len(found) for name, found in several.items()} == {"apache/kafka": 2}
    assert any(tag.startswith("3.9.") for tag in several["apache/kafka"])
