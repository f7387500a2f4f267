"""The supervisor: its configuration file, its start, and the one call that starts the services.

`python -m deploy.local.supervision.supervisor CONFIG` runs it with a shorter interval. supervisord checks its children
once a second and restarts one at the second check, after up to 2 s. Here it checks ten times a second.
"""

import shlex
import sys
import time
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from string import Template
from subprocess import DEVNULL, Popen
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from supervisor.medusa.asyncore_25 import ExitNow
from supervisor.options import ServerOptions
from supervisor.poller import Poller
from supervisor.supervisord import Supervisor
from supervisor.xmlrpc import SupervisorTransport

from deploy.local.errors import LocalError, NotReady
from deploy.local.state import ROOT, State
from deploy.local.supervision.logs import last_line, rotate
from deploy.local.supervision.process import SUPERVISOR, Process, base_env
from deploy.local.supervision.waiting import until_ready

START_SECONDS = 15.0
INTERVAL_SECONDS = 0.1
ROTATION_SECONDS = 10.0
SOCKET_PATH_LIMIT = 107
"""Bytes in the path of a Unix socket, unix(7), without the closing zero."""
TEMPLATES = Path(__file__).with_name("supervisor.conf").read_text().split("; one process\n")
"""The sections of the supervisor, and the section of one process."""


def start(state: State, servers: list[Process], services: list[Process]) -> None:
    """Start the supervisor in the background. It starts the servers at once, and the services after `start_services`.

    Returns when it answers. Raises LocalError when it does not.
    """
    if len(str(_socket(state)).encode()) > SOCKET_PATH_LIMIT - 20:  # supervisor appends its pid while it makes it
        raise LocalError(f"the path {state.path} is too long for a socket: move the clone to a shorter one")
    if "%" in f"{state.path}{ROOT}{sys.executable}":
        raise LocalError(f"supervisor can't work below {state.path}: move the clone to a path without %")
    config = state.run / "supervisor.conf"
    config.write_text(_config(state, servers, services))
    supervise = Process(SUPERVISOR, (sys.executable, "-m", "deploy.local.supervision.supervisor", str(config)))
    for process in (*servers, *services, supervise):
        process.write_plan(state)
    log = state.log / f"{SUPERVISOR}.log"
    with log.open("wb") as output:
        env = base_env(state)  # marks it as ours from its first moment, in case the start is interrupted now
        child = Popen(
            _launch(state), cwd=ROOT, env=env, stdin=DEVNULL, stdout=output, stderr=output, start_new_session=True
        )

    def check() -> None:
        if child.poll() is not None:
            raise LocalError(f"the supervisor ended at once: {last_line(log)} (log: {log})")
        _call(state, "getState")

    until_ready(check, START_SECONDS)


def start_services(state: State) -> None:
    """Start every service and worker."""
    _call(state, "startProcessGroup", "services", False)


def restart_service(state: State, process: Process) -> None:
    """End one service's process and start it by its new plan. The supervisor kills a process that exceeds its time."""
    with suppress(NotReady):  # it may have ended by itself
        _call(state, "stopProcess", f"services:{process.name}")
    process.write_plan(state)
    _call(state, "startProcess", f"services:{process.name}", False)


def _call(state: State, method: str, *arguments: object) -> Any:
    transport = SupervisorTransport(None, None, f"unix://{_socket(state)}")
    server = ServerProxy("http://127.0.0.1", transport)  # the transport uses the socket, not this address
    try:
        return getattr(server.supervisor, method)(*arguments)
    except (OSError, HTTPException, Fault) as error:
        raise NotReady(f"the supervisor does not answer ({error}): log: {state.log / SUPERVISOR}.log") from None


def _socket(state: State) -> Path:
    return state.run / "supervisor.sock"


def _launch(state: State, name: str = SUPERVISOR) -> list[str]:
    return [sys.executable, "-m", "deploy.local.supervision.launch", str(state.path), name]


def _config(state: State, servers: list[Process], services: list[Process]) -> str:
    whole, one = map(Template, TEMPLATES)
    names = {"servers": ",".join(p.name for p in servers), "services": ",".join(p.name for p in services)}
    text = whole.substitute(names, log=state.log, run=state.run, root=ROOT)
    for process in (*servers, *services):
        command, autostart = shlex.join([*_launch(state, process.name), "--log"]), str(process in servers).lower()
        own = {"name": process.name, "command": command, "autostart": autostart}
        text += one.substitute(own, stop_seconds=process.stop_seconds)
    return text


class QuickPoller(Poller):  # type: ignore[misc] # the library has no types
    """Returns from every wait after 0.1 s. That costs 0.2 % of a core. It also rotates large logs."""

    rotated_at = 0.0

    def poll(self, timeout: float) -> object:
        """Wait for input of the children, for `timeout` seconds at most."""
        if time.monotonic() - self.rotated_at >= ROTATION_SECONDS:
            self.rotated_at = time.monotonic()
            rotate(Path(self.options.childlogdir))
        return super().poll(min(timeout, INTERVAL_SECONDS))


def main(arguments: list[str]) -> None:
    """Run in the foreground until SIGTERM. `start` puts it into the background."""
    options = ServerOptions()
    options.poller = QuickPoller(options)
    options.realize(["-c", arguments[0], "--nodaemon"], doc=__doc__)
    options.first, options.test = True, False
    with suppress(ExitNow):  # supervisor raises it when everything has stopped
        Supervisor(options).main()


if __name__ == "__main__":
    main(sys.argv[1:])
