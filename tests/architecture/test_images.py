"""The Dockerfiles: small, without root and without build tools in what ships."""

import importlib
import re

import pytest

from tests.architecture.compose import ROOT

SERVICES = ("user_service", "product_service", "order_service", "notification_service")
IGNORED = (ROOT / ".dockerignore").read_text()


def stages(service):
    """The instructions of the two stages."""
    text = (ROOT / service / "Dockerfile").read_text()
    return text.split("\nFROM ")[1:] if text.startswith("#") else text.split("FROM ")[1:]


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_is_built_in_two_stages_on_a_pinned_base(service):
    build, final = stages(service)
    assert build.startswith("python:3.11-slim-bookworm AS build\n")
    assert final.startswith("python:3.11-slim-bookworm\n")
    assert "--require-hashes --no-deps" in build  # the lock, and nothing that pip would add to it
    assert not re.search(r"build-essential|-dev\b|pip", final)


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_is_not_root_and_says_how_it_is_and_what(service):
    final = stages(service)[1]
    port = f"{service.upper()}_PORT"
    user = final.index("\nUSER shop\n")
    assert final.index("useradd --system --uid 10001") < user < final.index("\nENTRYPOINT ")
    assert "\nSTOPSIGNAL SIGTERM\n" in final
    assert f"os.environ['{port}'] + '/health/live'" in final
    version = importlib.import_module(service).__version__
    assert f'org.opencontainers.image.version="{version}"' in final
    default = importlib.import_module(f"{service}.config").Config.model_fields[port.lower()].default
    assert f"{port}={default}\n" in final
    assert f"\nEXPOSE {default}\n" in final
    assert f'ENTRYPOINT ["python", "-m", "{service}"]\nCMD ["web"]' in final


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_copies_one_service_and_what_all_share(service):
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", stages(service)[1], re.MULTILINE)
    assert copied == ["LICENSE NOTICE", "libs", "contracts", service]
    for name in " ".join(copied).split():
        assert f"\n!{name}\n" in IGNORED
    assert "\n*\n" in IGNORED
    assert "**/tests" in IGNORED
