"""The service with a real SMTP sink and a real broker. Each test sends mails to addresses of its own."""

import os
import secrets
import shutil
import subprocess

import pytest

from libs.runtime.config import load
from notification_service.config import Config
from notification_service.tests.integration.world import Person, RunningConsumer, Service, Shop, compose, wait_until
from notification_service.worker.process import make_mailer
from tests.smtp_sink import SmtpSink


@pytest.fixture
def config(smtp_sink: SmtpSink) -> Config:
    """The configuration of the environment, with the port of the sink."""
    return load(Config, {**os.environ, "SMTP_SERVER": smtp_sink.host, "SMTP_PORT": str(smtp_sink.port)})


@pytest.fixture
def mail(config, person):
    return compose(config, person.email)


@pytest.fixture
def mailer(config):
    mailer = make_mailer(config)
    yield mailer
    mailer.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A self-signed certificate for 127.0.0.1."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("certificate")
    names = ["-subj", "/CN=sink", "-addext", "subjectAltName=IP:127.0.0.1"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(folder / "key.pem")]
    command = ["openssl", "req", "-x509", *key, "-days", "2", *names, "-out", str(folder / "cert.pem")]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture
def consumer(config, kafka):
    with RunningConsumer(config) as consumer:
        yield consumer


@pytest.fixture
def person() -> Person:
    tag = secrets.token_hex(5)
    return Person(f"u{tag}", f"u{tag}@example.com")


@pytest.fixture
def shop(kafka: str):
    shop = Shop(kafka)
    yield shop
    shop.close()


@pytest.fixture
def serve(config, kafka, tmp_path):
    services = []
    environ = {**os.environ, "SMTP_PORT": str(config.smtp_port), "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    def start(*arguments, **changes):
        service = Service(arguments, environ | changes, tmp_path / f"{len(services)}.log")
        services.append(service)
        wait_until(service.is_ready, 30)
        return service

    yield start
    for service in services:
        if service.process.poll() is None:
            service.process.kill()
        service.process.wait()
