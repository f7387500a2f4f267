"""`make up`: everything started in the order in which it can work, and not one step before the last one has answered."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from deploy.local import supervisor
from deploy.local.down import clear_left_overs, ready_mark, stop
from deploy.local.errors import LocalError, NotReady
from deploy.local.health import check_ready
from deploy.local.identity import read_pid
from deploy.local.jobs import run_jobs
from deploy.local.logs import last_line
from deploy.local.ports import require_free
from deploy.local.progress import say, step
from deploy.local.servers import Server
from deploy.local.services import SERVICES, Service
from deploy.local.stack import Stack
from deploy.local.wait import side_by_side, until_ready

SERVER_SECONDS = 90.0
SERVICE_SECONDS = 90.0


def up(stack: Stack) -> bool:
    """Start the shop and return when it is ready; False when it already was up. Raises LocalError with the reason.

    After a failure nothing is left running, and the logs stay.
    """
    if is_up(stack):
        return False
    stack.make_env_file()
    stack.state.make()
    clear_left_overs(stack)
    try:
        _start(stack)
    except BaseException:
        stop(stack)
        raise
    return True


def is_up(stack: Stack) -> bool:
    """Whether an `up` came to its end and its supervisor lives."""
    return supervisor.is_running(stack.state) and ready_mark(stack).exists()


def _start(stack: Stack) -> None:
    servers = stack.servers()
    taken = {variable: port for server in servers for variable, port in server.ports.items()} | stack.ports
    require_free(taken)
    if not any(server.name == "mail" for server in servers):
        say(f"  mail goes to {stack.settings.get('SMTP_SERVER')} (SMTP_SERVER): no mail catcher is started")
    with step("preparing the servers"):
        side_by_side(lambda server: server.prepare(), servers)
    services = [service.process(stack.settings) for service in SERVICES]
    supervisor.start(stack.state, [server.process() for server in servers], services)
    with step("starting " + ", ".join(server.name for server in servers)):
        side_by_side(partial(_bring_up, stack), servers)
    with step("starting " + ", ".join(service.name for service in SERVICES)):
        supervisor.start_services(stack.state)
        for service in SERVICES:
            _wait_for_service(stack, service)
    ready_mark(stack).touch()


def _bring_up(stack: Stack, server: Server) -> None:
    """Wait for a server, then run the jobs that need it."""
    _wait(stack, server.name, server.check, SERVER_SECONDS)
    run_jobs(stack, server.name)


def _wait_for_service(stack: Stack, service: Service) -> None:
    port = stack.port_of(service)
    if port:
        _wait(stack, service.name, partial(check_ready, service.name, port), SERVICE_SECONDS)
    else:
        _wait(stack, service.name, partial(_check_alive, stack, service.name), SERVICE_SECONDS)


def _check_alive(stack: Stack, name: str) -> None:
    if read_pid(stack.state, name) is None:
        raise NotReady(f"{name} is not running")


def _wait(stack: Stack, name: str, check: Callable[[], None], seconds: float) -> None:
    log = stack.state.log / f"{name}.log"

    def ask() -> None:
        if not supervisor.is_running(stack.state):
            raise LocalError(f"the supervisor ended: see {stack.state.log / 'supervisor.log'}")
        check()

    try:
        until_ready(ask, seconds)
    except NotReady as error:
        raise LocalError(f"{error} after {seconds:.0f} s. Last line of {log}: {last_line(log)}") from None
