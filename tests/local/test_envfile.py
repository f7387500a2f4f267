"""The file .env: made once, with secrets of its own."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from deploy import envfile
from deploy.local.errors import LocalError
from deploy.local.services import JOBS
from deploy.service_list import ROOT, SERVICES, mongo_names, variables

MONGO_URIS = {f"MONGO_URI_{name.upper()}" for name in mongo_names()}
MIGRATE_ONLY = {name for job in JOBS for name in job.extra}
COMPOSE_FILES = [ROOT / "docker-compose.yaml", *(ROOT / "deploy" / "compose").glob("*.yaml")]
COMPOSE = {name for path in COMPOSE_FILES for name in re.findall(r"(?<!\$)\$\{(\w+)", path.read_text())}
STACK_ONLY = {"MYSQL_ROOT_PASSWORD", "KAFKA_CONTROLLER_PORT", "MAIL_PAGE_PORT", "STAFF_EMAIL", "STAFF_PASSWORD"}
STACK_ONLY |= {"NODE_EXPORTER_PORT"}


def test_a_new_file_has_every_secret_and_no_two_are_the_same(tmp_path: Path) -> None:
    envfile.create(tmp_path / ".env")
    values = envfile.read(tmp_path / ".env")
    secrets = [values[name] for name in envfile.generated()]
    assert all(len(secret) >= 32 for secret in secrets)
    assert len(set(secrets)) == len(secrets)


def test_a_machine_of_ones_own_may_register_as_many_as_it_likes(tmp_path: Path) -> None:
    envfile.create(tmp_path / ".env")
    assert envfile.read(tmp_path / ".env")["RATE_LIMIT_REGISTER"] == "off"


def test_a_new_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    envfile.create(tmp_path / ".env")
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600


def test_an_existing_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("JWT_SECRET=mine\n")
    with pytest.raises(FileExistsError):
        envfile.create(path)
    assert path.read_text() == "JWT_SECRET=mine\n"


def test_two_new_files_share_no_secret(tmp_path: Path) -> None:
    for name in ("a", "b"):
        envfile.create(tmp_path / name)
    first, second = (envfile.read(tmp_path / name) for name in ("a", "b"))
    same = {name for name in envfile.generated() if first[name] == second[name]}
    assert same == MONGO_URIS  # addresses of a local server without accounts


def test_the_example_holds_no_secret() -> None:
    example = envfile.read(envfile.EXAMPLE)
    assert {name for name in envfile.generated() if example[name]} == set()


def test_the_example_names_what_the_processes_read_and_nothing_else() -> None:
    read = {name for service in SERVICES for name in variables(service)} - {"MONGO_URI"} | MONGO_URIS
    assert set(envfile.read(envfile.EXAMPLE)) == read | STACK_ONLY | COMPOSE | MIGRATE_ONLY


def test_every_variable_of_the_example_is_explained() -> None:
    pairs = pairwise(envfile.EXAMPLE.read_text().splitlines())
    assert [line for above, line in pairs if line and not line.startswith("#") and not above] == []


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("X=a b", "a b"),
        ("X='a'", "a"),
        ('X="a=b"', "a=b"),
        ("export X=a", "a"),
        ("X=", ""),
        ("X = a ", "a"),
        ("X=a#b # c", "a#b"),
        ("X='a # b' # c", "a # b"),
    ],
)
def test_lines_are_read_as_compose_reads_them(tmp_path: Path, line: str, value: str) -> None:
    (tmp_path / ".env").write_text(f"# comment\n\n{line}\n")
    assert envfile.read(tmp_path / ".env") == {"X": value}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_file_of_an_editor_that_begins_it_with_a_byte_order_mark_is_read(tmp_path: Path, end: str) -> None:
    (tmp_path / ".env").write_bytes(f"\ufeffX=a{end}Y=b{end}".encode())
    assert envfile.read(tmp_path / ".env") == {"X": "a", "Y": "b"}


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_file_that_is_not_utf_8_is_named_in_one_line(tmp_path: Path, encoding: str) -> None:
    (tmp_path / ".env").write_bytes("SHOP_NAME=Bücher\n".encode(encoding))
    with pytest.raises(LocalError, match=r"^\.env is not UTF-8: save it as UTF-8$"):
        envfile.read(tmp_path / ".env")


def test_a_line_that_is_no_setting_is_named_by_number_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\nhunter2\n")
    with pytest.raises(LocalError, match=r"^\.env, line 2 is not NAME=value$"):
        envfile.read(tmp_path / ".env")
