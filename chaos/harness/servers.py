"""The real servers, each behind a proxy: clients are told the proxy's port, and the servers advertise it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace

from chaos.harness.child import Child
from chaos.harness.proxy import Proxy
from chaos.harness.supervisor import Supervisor
from deploy.local.ports import LOOPBACK
from deploy.local.servers import Server
from deploy.local.servers.kafka import Kafka
from deploy.local.state import State
from deploy.local.supervision.waiting import until_ready

READY_SECONDS = 60


@dataclass(frozen=True)
class Fronted:
    """A running server and the proxy in front of it."""

    server: Server
    proxy: Proxy
    child: Child

    def wait(self, seconds: float = READY_SECONDS) -> None:
        """Wait until it does real work, through its proxy."""
        until_ready(self.server.check, seconds)

    def wipe(self, supervisor: Supervisor) -> None:
        """Kafka loses its data, and starts as another cluster. It is killed, when it runs."""
        assert isinstance(self.server, Kafka)
        self.child.wanted = False
        if self.child.is_running():
            self.child.kill()
        shutil.rmtree(self.server.state.data / "kafka")
        _prepare(self.server, self.proxy.target)
        supervisor.start(self.child)
        self.wait()

    def restart(self, supervisor: Supervisor, *options: str) -> None:
        """Stop it in good order, start it again with further `options`, wait for it."""
        self.child.stop()
        self.child.set_options(*options)
        supervisor.start(self.child)
        self.wait()


def front(server: Server, state: State, port: int, supervisor: Supervisor) -> Fronted:
    """Start `server`, which believes to listen on its own port, on `port`, and a proxy where it believes to be."""
    public = next(iter(server.ports.values()))
    proxy = Proxy(server.name, public, port)
    proxy.start()
    _prepare(server, port)
    known = server.process()
    argv = tuple(f"--port={port}" if part == f"--port={public}" else part for part in known.argv)
    if server.name == "mysql":  # one file for all tables, so that a test can set its limit (R21)
        argv = (*argv, "--innodb-file-per-table=0")
    child = Child(replace(known, argv=argv), state)
    supervisor.start(child)
    fronted = Fronted(server, proxy, child)
    fronted.wait()
    return fronted


def _prepare(server: Server, port: int) -> None:
    """Its data and settings. Kafka listens on `port`, and advertises the proxy's."""
    server.prepare()
    if isinstance(server, Kafka):  # the last one of two equal keys counts
        listeners = f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{server.controller_port}"
        with (server.state.run / "kafka" / "kafka.properties").open("a") as settings:
            settings.write(f"listeners={listeners}\n")
