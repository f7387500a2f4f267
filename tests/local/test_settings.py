"""Where the stack's settings come from, and what it says about bad ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.local.errors import LocalError
from deploy.local.settings import Settings, load


@pytest.fixture
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small .env; the variables that it names are not in the environment."""
    for name in ("SMTP_PORT", "MYSQL_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / ".env"
    path.write_text("SMTP_PORT=1025\nMYSQL_PASSWORD=from the file\n")
    return path


def test_the_environment_wins_over_the_file(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PORT", "2525")
    assert load(env_file).values["SMTP_PORT"] == "2525"


def test_an_empty_variable_of_the_environment_does_not_hide_the_file(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_PORT", "")
    assert load(env_file).values["SMTP_PORT"] == "1025"


def test_a_variable_may_name_a_file_that_holds_the_value(
    env_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("from a secret\n")
    monkeypatch.setenv("MYSQL_PASSWORD_FILE", str(tmp_path / "secret"))
    assert load(env_file).values["MYSQL_PASSWORD"] == "from a secret"


def test_a_secret_file_may_begin_with_a_byte_order_mark(
    env_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_bytes("\ufeffhunter2\r\n".encode())
    monkeypatch.setenv("MYSQL_PASSWORD_FILE", str(tmp_path / "secret"))
    assert load(env_file).get("MYSQL_PASSWORD") == "hunter2"


def test_a_secret_file_that_is_not_text_is_one_clear_line(
    env_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_bytes(b"\xff\xfe\x00")
    monkeypatch.setenv("MYSQL_PASSWORD_FILE", str(tmp_path / "secret"))
    with pytest.raises(LocalError, match=r"^MYSQL_PASSWORD_FILE names a file that can't be read"):
        load(env_file)


def test_a_secret_file_that_is_missing_is_one_clear_line(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYSQL_PASSWORD_FILE", "/nowhere")
    with pytest.raises(LocalError, match=r"^MYSQL_PASSWORD_FILE names a file that can't be read: No such file"):
        load(env_file)


def test_variables_that_nothing_knows_are_not_taken_from_the_environment(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOMETHING_ELSE", "x")
    assert "SOMETHING_ELSE" not in load(env_file).values


def make(**values: str) -> Settings:
    return Settings(values, Path(".env"))


def test_all_missing_variables_are_named_at_once() -> None:
    with pytest.raises(LocalError, match=r"^not set in \.env or the environment: B, C$"):
        make(A="1").require("A", "B", "C")


@pytest.mark.parametrize("value", ["0", "65536", "-1", "http", "80.0", " "])
def test_a_bad_port_is_refused(value: str) -> None:
    with pytest.raises(LocalError, match=r"^MYSQL_PORT must be a port number"):
        make(MYSQL_PORT=value).port("MYSQL_PORT", 3306)


@pytest.mark.parametrize(
    ("address", "port"),
    [("127.0.0.1:9092", 9092), ("localhost:19092", 19092), ("mongodb://127.0.0.1:27018/db?replicaSet=rs0", 27018)],
)
def test_the_port_of_a_local_address_is_found(address: str, port: int) -> None:
    assert make().local_port("X", address) == port


@pytest.mark.parametrize("address", ["kafka.example.com:9092", "127.0.0.1", "127.0.0.1:x", "", "a:1,b:2"])
def test_an_address_elsewhere_is_refused(address: str) -> None:
    with pytest.raises(LocalError, match=r"^KAFKA_BROKERS must name a port on 127\.0\.0\.1"):
        make().local_port("KAFKA_BROKERS", address)
