"""R22, R23: no client crosses a fork, web processes know no Kafka, and a dead thread is a dead process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from chaos.harness.customers import Customers
from chaos.harness.sockets import connected_ports
from chaos.harness.stack import Stack
from chaos.harness.waiting import promised, wait_until
from deploy.local.state import ROOT
from deploy.local.supervision.process import base_env

DEAD_SECONDS = promised(5.0)
WEBS = ("user-web", "product-web", "order-web", "notification")


def threads(pid: int) -> set[str]:
    """The names of the threads of a process; librdkafka's begin with `rdk:`."""
    return {(task / "comm").read_text().strip() for task in Path(f"/proc/{pid}/task").iterdir()}


@pytest.mark.quick
def test_no_arbiter_holds_a_client_and_no_web_worker_one_of_kafka(stack: Stack, customers: Customers) -> None:
    """R22: seen from outside, by the sockets and threads of the processes, after they have worked."""
    product_id = customers.new_product()["id"]
    assert customers.order(product_id).status == 201
    kafka, databases = stack.kafka.proxy.port, {stack.mongo.proxy.port, stack.mysql.proxy.port}
    used: set[int] = set()
    for name in WEBS:
        arbiter = stack.children[name].pid
        workers = [pid for pid in stack.children[name].family() if pid != arbiter]
        assert workers
        assert connected_ports(arbiter) & {kafka, *databases} == set(), f"{name}: a client before the fork"
        assert len(threads(arbiter)) == 1
        for pid in workers:
            used |= connected_ports(pid)
            is_listener = name == "notification"
            assert (kafka in connected_ports(pid)) == is_listener, f"{name} and Kafka"
            assert any(thread.startswith("rdk:") for thread in threads(pid)) == is_listener
    assert databases <= used, "no worker was seen at its database: the look from outside is blind"


@pytest.mark.parametrize(("package", "key"), [("product_service", "product-worker"), ("order_service", "order-worker")])
def test_a_worker_whose_consumer_thread_dies_ends_with_an_error(
    stack: Stack, tmp_path: Path, package: str, key: str
) -> None:
    """R23: the thread is made to raise, by a program that runs the service's own command."""
    trigger = tmp_path / "die"
    argv = [sys.executable, "-m", "chaos.harness.dying", str(trigger), package, "worker"]
    env = base_env(stack.state) | dict(stack.children[key].env)
    log = (tmp_path / "log").open("w")
    with log, subprocess.Popen(argv, cwd=ROOT, env=env, stdout=log, stderr=log) as process:
        try:
            wait_until(lambda: "worker started" in (tmp_path / "log").read_text(), 20)
            wait_until(lambda: "partitions assigned" in (tmp_path / "log").read_text(), 40)
            assert process.poll() is None
            trigger.touch()
            seconds = wait_until(lambda: process.poll() is not None, 30)
        finally:
            process.kill()
    assert process.returncode not in (0, -9)
    assert "thread died" in (tmp_path / "log").read_text()
    assert seconds <= DEAD_SECONDS
