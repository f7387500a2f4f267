"""The Dockerfile of the services: small, without root and without build tools in what ships."""

import importlib
import re

import pytest

from deploy.service_list import SERVICES, ports
from deploy.wheels import image_locks, packages
from tests.architecture.compose import ROOT, package_of, read

IGNORED = (ROOT / ".dockerignore").read_text()
BUILD, FINAL = (ROOT / "deploy" / "images" / "Dockerfile").read_text().split("\nFROM ")[1:]
BUILDS = {package_of(s): s["build"] for s in read("docker-compose.yaml")["services"].values() if package_of(s)}


def test_an_image_is_built_in_two_stages_on_a_pinned_base():
    base, name = BUILD.partition("\n")[0].split(" AS ")
    assert name == "build"
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm(@sha256:[0-9a-f]{64})?", base)
    assert FINAL.startswith(f"{base}\n")
    assert "COPY requirements/$SERVICE.txt /requirements.txt\n" in BUILD
    assert "--require-hashes --no-deps" in BUILD  # the lock, and nothing that pip would add to it
    assert not re.search(r"build-essential|-dev\b|pip", FINAL)


def test_the_wheels_of_all_that_an_image_installs_are_checked_and_the_extra_changes_no_version():
    copied = re.findall(r"^COPY requirements/(\S+\.txt) ", BUILD, re.MULTILINE)
    assert copied == ["$SERVICE.txt", "otel.txt"]
    assert [lock.name for lock in image_locks()] == [*(f"{service}.txt" for service in SERVICES), "otel.txt"]
    *services, extra = map(packages, image_locks())
    for service in services:
        assert {name: entry for name, entry in service.items() if name in extra} == {
            name: entry for name, entry in extra.items() if name in service
        }


def test_an_image_is_not_root_and_says_how_it_is_and_what():
    user = FINAL.index("\nUSER shop\n")
    assert FINAL.index("useradd --system --uid 10001") < user < FINAL.index("\nENTRYPOINT ")
    assert "\nSTOPSIGNAL SIGTERM\n" in FINAL
    assert "\nEXPOSE $PORT\n" in FINAL
    assert "e.get(e['SERVICE'].upper() + '_PORT', e['PORT']) + '/health/live'" in FINAL
    assert """ENTRYPOINT ["sh", "-c", "exec python -m \\"$SERVICE\\" \\"$@\\"", "service"]\nCMD ["web"]""" in FINAL


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_is_built_from_it_with_its_own_arguments(service):
    build = BUILDS[service]
    assert (build["context"], build["dockerfile"]) == (".", "deploy/images/Dockerfile")
    arguments = build["args"]
    assert f'org.opencontainers.image.version="{importlib.import_module(service).__version__}"' in FINAL
    assert arguments.get("PORT") == ports().get(service, ("", None))[1]  # None: a service without an API
    assert arguments["DESCRIPTION"]
    assert arguments["REVISION"] == "${REVISION:-unknown}"
    copyleft = "mysqlclient==" in (ROOT / "requirements" / f"{service}.txt").read_text()
    assert ("GPL-2.0-or-later" in arguments.get("LICENSES", "")) == copyleft


def test_an_image_copies_one_service_and_what_all_share():
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", FINAL, re.MULTILINE)
    assert copied == ["LICENSE NOTICE", "libs", "contracts", "$SERVICE"]
    for name in ("LICENSE", "NOTICE", "libs", "contracts", "*_service", "requirements"):
        assert f"\n!{name}\n" in IGNORED
    assert "\n*\n" in IGNORED
    assert "**/tests" in IGNORED
