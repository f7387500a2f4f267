"""`make status`, and the table of addresses that `make run` and `make up` end with."""

from __future__ import annotations

import time

from deploy.local.errors import NotReady
from deploy.local.health import check_ready
from deploy.local.identity import pid_path, read_pid
from deploy.local.ports import LOOPBACK
from deploy.local.progress import say
from deploy.local.services import PROCESS_NAMES, SERVICES, Service
from deploy.local.stack import Stack


def status(stack: Stack) -> None:
    """One line a process: its pid, how long it has run, and what it says of itself."""
    say(f"{'process':<16}{'pid':>8}  {'up for':>9}  state")
    services = {service.name: service for service in SERVICES}
    for name in PROCESS_NAMES:
        _line(stack, name, services.get(name))


def _line(stack: Stack, name: str, service: Service | None) -> None:
    pid = read_pid(stack.state, name)
    if pid is None:
        say(f"{name:<16}{'-':>8}  {'-':>9}  not running")
        return
    seconds = time.time() - pid_path(stack.state, name).stat().st_mtime
    say(f"{name:<16}{pid:>8}  {_duration(seconds):>9}  {_state(stack, service)}")


def _state(stack: Stack, service: Service | None) -> str:
    port = stack.port_of(service) if service else None
    if not service or not port:
        return "running"
    try:
        check_ready(service.name, port)
    except NotReady as error:
        return str(error)
    return f"ready on http://{LOOPBACK}:{port}/"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def print_addresses(stack: Stack) -> None:
    """Where everything is, and where the staff login is kept: never the login itself."""
    say("")
    for service in SERVICES:
        port = stack.port_of(service)
        if port:
            address = f"http://{LOOPBACK}:{port}"
            say(f"  {service.package:<22}{address + '/':<28}{address}/docs")
            if service.package == "order_service":
                say(f"  {'  admin pages':<22}{address}/admin/")
    mail = stack.mail()
    if mail and read_pid(stack.state, mail.name):
        say(f"  {'mails':<22}{mail.page}")
    say(f"\n  staff login: STAFF_EMAIL and STAFF_PASSWORD in {stack.env_file}\n")
