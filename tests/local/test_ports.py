"""Ports, and the line that says who has one."""

from __future__ import annotations

import os
import socket

import pytest

from deploy.local.errors import LocalError
from deploy.local.ports import is_free, require_free
from tests.free_ports import pick_free


@pytest.fixture
def taken() -> int:
    """A port on which this process listens."""
    listener = socket.create_server(("127.0.0.1", 0))
    port: int = listener.getsockname()[1]
    yield port
    listener.close()


def test_a_taken_port_is_named_with_its_variable_and_its_owner(taken: int) -> None:
    line = rf"^port {taken} \(MYSQL_PORT\) is in use by \S+ \(process {os.getpid()}\): .* MYSQL_PORT in \.env$"
    with pytest.raises(LocalError, match=line):
        require_free({"MYSQL_PORT": taken})


def test_free_ports_raise_nothing(taken: int) -> None:
    require_free({"MYSQL_PORT": pick_free(1)[0]})
    assert not is_free(taken)


def test_picked_ports_are_free_and_different_and_below_the_range_of_clients() -> None:
    ports = pick_free(20)
    assert len(set(ports)) == 20
    assert all(is_free(port) and port < 32768 for port in ports)


def test_a_port_that_was_picked_is_not_picked_again_at_once() -> None:
    assert not set(pick_free(20)) & set(pick_free(20))
