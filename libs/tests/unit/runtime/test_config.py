"""The environment: what is refused, and that no value is ever shown."""

import secrets

import pytest
from pydantic import Field, SecretStr

from libs.runtime.config import (
    BadConfiguration,
    BaseConfig,
    MongoUri,
    Secret,
    SigningKey,
    WebConfig,
    load,
    load_or_exit,
)


class Sample(BaseConfig):
    key: SigningKey
    token: Secret
    name: str
    port: int = Field(80, ge=1)
    uri: MongoUri = SecretStr("mongodb://127.0.0.1/sample")


GOOD = {"KEY": secrets.token_urlsafe(32), "TOKEN": secrets.token_urlsafe(16), "NAME": "a"}


@pytest.mark.parametrize("origins", ["*", "shop.example", "https://shop.example/", "https://*.example", "null", "a,b"])
def test_an_origin_is_one_site_and_no_pattern(origins):
    with pytest.raises(BadConfiguration) as refused:
        load(WebConfig, {"CORS_ORIGINS": origins})
    assert set(refused.value.problems) == {"CORS_ORIGINS"}


def test_origins_are_listed_with_commas():
    listed = load(WebConfig, {"CORS_ORIGINS": " https://shop.example , http://localhost:5173,"}).cors_origins
    assert listed == {"https://shop.example", "http://localhost:5173"}
    assert load(WebConfig, {}).cors_origins == frozenset()


def problems(environ):
    with pytest.raises(BadConfiguration) as refused:
        load(Sample, environ)
    for value in filter(None, map(str.strip, environ.values())):
        assert len(value) < 4 or value not in str(refused.value)
    return refused.value.problems


def test_values_are_stripped_and_defaults_hold():
    sample = load(Sample, GOOD | {"NAME": "  a  ", "PORT": ""})
    assert (sample.name, sample.port) == ("a", 80)


@pytest.mark.parametrize(
    "text", ["changeme", "CHANGEME", "secret", "password", "your-secret-here-your-secret-here", "<your-key>"]
)
def test_placeholders_are_no_secrets(text):
    assert problems(GOOD | {"TOKEN": text}) == {"TOKEN": "is a placeholder"}


def test_a_short_key_is_refused_by_its_bytes():
    assert problems(GOOD | {"KEY": "k" * 31}) == {"KEY": "is shorter than 32 bytes"}
    assert load(Sample, GOOD | {"KEY": "é" * 16})


def test_two_secrets_may_not_be_the_same():
    assert set(problems(GOOD | {"TOKEN": GOOD["KEY"]})) == {"KEY", "TOKEN"}


@pytest.mark.parametrize("uri", ["mongodb://127.0.0.1", "http://127.0.0.1/x", "mongodb://u:changeme@127.0.0.1/x"])
def test_a_mongodb_address_names_a_database_and_has_no_placeholder(uri):
    assert set(problems(GOOD | {"URI": uri})) == {"URI"}


def test_a_wrong_type_is_named_without_its_value():
    assert set(problems(GOOD | {"PORT": "eighty"})) == {"PORT"}


def test_a_value_can_come_from_a_file(tmp_path):
    (tmp_path / "token").write_text("\ufefffrom-a-file-0123\n", encoding="utf-8")
    environ = {name: value for name, value in GOOD.items() if name != "TOKEN"}
    sample = load(Sample, environ | {"TOKEN_FILE": str(tmp_path / "token")})
    assert sample.token.get_secret_value() == "from-a-file-0123"


def test_a_file_of_an_editor_that_begins_it_with_a_byte_order_mark_is_read(tmp_path):
    (tmp_path / "token").write_bytes("\ufefffrom-a-file-0123\r\n".encode())
    environ = {name: value for name, value in GOOD.items() if name != "TOKEN"} | {"TOKEN_FILE": str(tmp_path / "token")}
    assert load(Sample, environ).token.get_secret_value() == "from-a-file-0123"


def test_a_file_that_is_missing_or_empty_counts_as_missing(tmp_path):
    environ = {name: value for name, value in GOOD.items() if name != "TOKEN"}
    assert problems(environ | {"TOKEN_FILE": str(tmp_path / "none")}) == {"TOKEN": "file can't be read"}
    (tmp_path / "empty").write_text("\n")
    assert problems(environ | {"TOKEN_FILE": str(tmp_path / "empty")}) == {"TOKEN": "missing"}


def test_all_problems_are_reported_in_one_line():
    with pytest.raises(BadConfiguration) as refused:
        load(Sample, {"TOKEN": "changeme"})
    assert str(refused.value) == "KEY (missing), NAME (missing), TOKEN (is a placeholder)"


def test_a_bad_configuration_ends_the_process_with_status_78(monkeypatch, capsys):
    monkeypatch.delenv("KEY", raising=False)
    with pytest.raises(SystemExit) as ended:
        load_or_exit(Sample, "sample")
    assert ended.value.code == 78
    assert capsys.readouterr().err.count("\n") == 1


def test_secrets_do_not_show_in_a_printed_configuration():
    assert GOOD["KEY"] not in repr(load(Sample, GOOD))
