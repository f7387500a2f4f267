"""`make status`, and the table of addresses at the end of `make run` and `make up`."""

import time
from datetime import timedelta

from deploy.local.console import say
from deploy.local.errors import NotReady
from deploy.local.ports import LOOPBACK
from deploy.local.probe import check_ready
from deploy.local.services import PROCESS_NAMES, SERVICES, Service
from deploy.local.stack import Stack
from deploy.local.supervision.process import pid_path, read_pid


def status(stack: Stack) -> None:
    """One line for each process: its pid, its running time, and its readiness."""
    say(f"{'process':<16}{'pid':>8}  {'up for':>9}  state")
    services = {service.name: service for service in SERVICES}
    for name in PROCESS_NAMES:
        pid = read_pid(stack.state, name)
        if pid is None:
            say(f"{name:<16}{'-':>8}  {'-':>9}  not running")
            continue
        seconds = int(time.time() - pid_path(stack.state, name).stat().st_mtime)
        say(f"{name:<16}{pid:>8}  {timedelta(seconds=seconds)!s:>9}  {_readiness(stack, services.get(name))}")


def _readiness(stack: Stack, service: Service | None) -> str:
    port = stack.port_of(service) if service else None
    if not service or not port:
        return "running"
    try:
        check_ready(service.name, port)
    except NotReady as error:
        return str(error)
    return f"ready on http://{LOOPBACK}:{port}/"


def print_addresses(stack: Stack) -> None:
    """The addresses, and the place of the staff login. It never prints the login itself."""
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
