"""The supervisor's settings, and the few things that are asked of it while it runs."""

from __future__ import annotations

import shlex
import subprocess
import sys
from http.client import HTTPException
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from deploy.local.errors import LocalError, NotReady
from deploy.local.identity import read_pid
from deploy.local.logs import last_line
from deploy.local.process import Process, base_env
from deploy.local.state import ROOT, State
from deploy.local.wait import until_ready

NAME = "supervisor"
SERVERS = "servers"
SERVICES = "services"
START_SECONDS = 15.0
SOCKET_PATH_LIMIT = 107
"""Bytes in the path of a Unix socket, unix(7), without the closing zero."""


def is_running(state: State) -> bool:
    """Whether this state directory's supervisor is alive."""
    return read_pid(state, NAME) is not None


def start(state: State, servers: list[Process], services: list[Process]) -> None:
    """Start the supervisor in the background; it starts the servers at once and the services when told.

    Returns when it answers. Raises LocalError when it does not.
    """
    if len(str(_socket(state)).encode()) > SOCKET_PATH_LIMIT - 20:  # supervisor appends its pid while it makes it
        raise LocalError(f"the path {state.path} is too long for a socket: move the clone to a shorter one")
    if "%" in f"{state.path}{ROOT}{sys.executable}":
        raise LocalError(f"supervisor can't work below {state.path}: move the clone to a path without %")
    for process in (*servers, *services):
        process.write_plan(state)
    config = state.run / "supervisor.conf"
    config.write_text(_config(state, servers, services))
    supervise = Process(NAME, (sys.executable, "-m", "deploy.local.supervise", str(config)))
    supervise.write_plan(state)
    log = state.log / f"{NAME}.log"
    with log.open("wb") as output:
        child = subprocess.Popen(
            _launch(state, NAME),
            cwd=ROOT,
            env=base_env(state),  # ours from its first moment, should the start be broken off just now
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )

    def check() -> None:
        if child.poll() is not None:
            raise LocalError(f"the supervisor ended at once: {last_line(log)} (log: {log})")
        _call(state, "getState")

    until_ready(check, START_SECONDS)


def start_services(state: State) -> None:
    """Start every service and worker."""
    _call(state, "startProcessGroup", SERVICES, False)


def _call(state: State, method: str, *arguments: object) -> Any:
    transport = SupervisorTransport(None, None, f"unix://{_socket(state)}")
    server = ServerProxy("http://127.0.0.1", transport)  # the address is not used: the socket is
    try:
        return getattr(server.supervisor, method)(*arguments)
    except (OSError, HTTPException, Fault) as error:
        raise NotReady(f"the supervisor does not answer ({error}): log: {state.log / NAME}.log") from None


def _socket(state: State) -> Path:
    return state.run / "supervisor.sock"


def _launch(state: State, name: str) -> list[str]:
    return [sys.executable, "-m", "deploy.local.launch", str(state.path), name]


def _config(state: State, servers: list[Process], services: list[Process]) -> str:
    """The settings file. On a stop the groups end in falling order of priority: services first, then servers."""
    sections = [
        f"""
[supervisord]
logfile={state.log / NAME}.log
silent=true
logfile_maxbytes=1MB
logfile_backups=1
pidfile={state.run / NAME}.pid
directory={ROOT}
childlogdir={state.log}

[unix_http_server]
file={_socket(state)}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[group:{SERVERS}]
programs={",".join(process.name for process in servers)}
priority=100

[group:{SERVICES}]
programs={",".join(process.name for process in services)}
priority=200
"""
    ]
    sections += [_program(state, process, autostart=True) for process in servers]
    sections += [_program(state, process, autostart=False) for process in services]
    return "".join(sections)


def _program(state: State, process: Process, *, autostart: bool) -> str:
    """startsecs=0: an exit is never "too quick", so nothing is ever given up; `launch` keeps the loop from spinning."""
    return f"""
[program:{process.name}]
command={shlex.join(_launch(state, process.name))}
autostart={str(autostart).lower()}
autorestart=true
startsecs=0
stopwaitsecs={process.stop_seconds}
killasgroup=true
redirect_stderr=true
stdout_logfile={state.log / process.name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=1
"""
