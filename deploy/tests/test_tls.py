"""HTTPS in front: the same shop under host names, and nothing beside it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import pytest

from deploy.local.errors import NotReady
from deploy.local.probe import call
from deploy.tests.containers import BehindTls
from tests.e2e.conftest import Town
from tests.e2e.test_accounts import test_a_customer_takes_all_data_along  # noqa: F401 -- run here on the containers
from tests.e2e.test_journeys import test_a_customer_registers_orders_and_hears_of_each_step  # noqa: F401 -- run here on the containers
from tests.shop import PORTS

DOMAIN = "shop.test"
NAMES = [f"{name}.{DOMAIN}" for name in BehindTls.names.values()]


@pytest.fixture(scope="module")
def shop(bring_up: Callable[[BehindTls], BehindTls], directory: Path) -> BehindTls:
    certificate = directory / "tls"
    certificate.mkdir()
    names = ",".join(f"DNS:{name}" for name in NAMES)
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={DOMAIN}"]
    command += ["-addext", f"subjectAltName={names}"]
    command += ["-keyout", str(certificate / "privkey.pem"), "-out", str(certificate / "fullchain.pem")]
    subprocess.run(command, check=True, capture_output=True)
    settings = {"SHOP_DOMAIN": DOMAIN, "TLS_DIRECTORY": str(certificate), "PROXY_ADDRESS": "127.0.0.1"}
    return bring_up(BehindTls(directory, "tls", ("tls",), settings))


def plain(shop: BehindTls, method: str, path: str, host: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", int(shop.env["HTTP_PORT"]), timeout=10)
    connection.request(method, path, headers={"Host": host})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.getheader("Location") or ""


@pytest.mark.parametrize("service", BehindTls.names)
def test_each_service_has_its_host_name_and_asks_for_https_from_now_on(shop: BehindTls, service: str) -> None:
    answer = shop.call(service, "GET", "/health/live")
    assert answer.status == 200
    assert answer.json["service"] == f"{service}_service"
    assert shop.headers.get_all("Strict-Transport-Security") == ["max-age=31536000"]


@pytest.mark.parametrize("host", NAMES)
def test_plain_http_is_sent_on_to_https(shop: BehindTls, host: str) -> None:
    assert plain(shop, "GET", "/products?limit=1", host) == (308, f"https://{host}/products?limit=1")


def test_other_names_are_not_served(shop: BehindTls) -> None:
    assert plain(shop, "GET", "/", "elsewhere.test") == (404, "")
    shop.names = {**shop.names, "other": "elsewhere"}
    with pytest.raises(NotReady):
        shop.call("other", "GET", "/")


@pytest.mark.parametrize("service", PORTS)
def test_the_services_own_ports_are_closed(shop: BehindTls, service: str) -> None:
    with pytest.raises(NotReady):
        call(int(shop.env[PORTS[service]]), "GET", "/health/live")


def test_links_are_relative_and_cookies_of_https(shop: BehindTls) -> None:
    staff = Town(shop).staff()
    for _ in range(2):
        Town(shop).product(staff)
    listing = shop.call("product", "GET", "/products?limit=1").json
    assert listing["next"].startswith("/products?")
    assert shop.call("product", "GET", listing["next"]).status == 200
    assert shop.call("order", "GET", "/admin/login/").status == 200
    assert "secure" in shop.headers["Set-Cookie"].casefold()


def test_staff_sign_in_to_the_desk(shop: BehindTls) -> None:
    login, host = "/admin/login/", f"https://orders.{DOMAIN}"
    staff = Town(shop).staff()
    shop.call("order", "GET", login)
    token = cookies(shop)["csrftoken"]
    form = {"username": staff.email, "password": staff.password, "csrfmiddlewaretoken": token}
    fields = {"Content-Type": "application/x-www-form-urlencoded", "Origin": host, "Referer": host + login}
    answer = shop.ask("order", "POST", login, urlencode(form), fields | {"Cookie": f"csrftoken={token}"})
    assert (answer.status, shop.headers["Location"]) == (302, "/admin/")
    assert all("secure" in text.casefold() for text in shop.headers.get_all("Set-Cookie"))
    session = cookies(shop)["sessionid"]
    assert shop.ask("order", "GET", "/admin/", None, {"Cookie": f"sessionid={session}"}).status == 200


def cookies(shop: BehindTls) -> dict[str, str]:
    """What the last answer set."""
    texts = shop.headers.get_all("Set-Cookie")
    return {name: morsel.value for text in texts for name, morsel in SimpleCookie(text).items()}


def test_links_in_mails_lead_to_the_host_name(shop: BehindTls) -> None:
    town = Town(shop)
    mail = town.mail(town.customer(), "Verify your e-mail address")
    assert f"https://users.{DOMAIN}/verify-email?token=" in mail.text


@pytest.mark.parametrize("service", BehindTls.names)
def test_metrics_are_for_inside(shop: BehindTls, service: str) -> None:
    for path in ("/metrics", "/metrics/"):
        answer = shop.call(service, "GET", path)
        assert (answer.status, answer.json["code"]) == (404, "not-found")


@pytest.mark.parametrize("method", ["BREW", "TRACE", "PROPFIND", "XABCDEF"])
@pytest.mark.parametrize("service", BehindTls.names)
def test_an_unknown_method_ends_at_the_proxy(shop: BehindTls, service: str, method: str) -> None:
    answer = shop.call(service, method, "/health")
    assert (answer.status, answer.json["code"]) == (501, "not-implemented")


def test_too_large_and_too_many_are_answered_in_the_shops_words(shop: BehindTls) -> None:
    answer = shop.call("user", "POST", "/login", {"email": "x" * 200_000})
    assert (answer.status, answer.json["code"]) == (413, "too-large")
    answers = [shop.call("user", "POST", "/login", {}) for _ in range(30)]
    limited = [answer for answer in answers if answer.status == 429]
    assert limited
    assert limited[0].json["code"] == "too-many-requests"


def test_an_unavailable_service_is_a_503(shop: BehindTls) -> None:
    shop.compose("stop", "notification")
    answer = shop.call("notification", "GET", "/health/live")
    assert (answer.status, answer.json["code"]) == (503, "unavailable")
    shop.compose("start", "notification")
    shop.wait_ready()


def test_the_proxy_writes_nowhere_and_its_workers_are_not_root(shop: BehindTls) -> None:
    assert shop.execute("proxy", "sh", "-c", "touch /etc/x", check=False).returncode
    users = shop.execute("proxy", "sh", "-c", "grep -h ^Uid /proc/[0-9]*/status").stdout
    assert "33" in users.split()
