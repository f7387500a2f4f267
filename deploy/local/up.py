"""`make up`: start everything in order. A step begins when the step before it is ready."""

from functools import partial

from deploy.local import supervisor
from deploy.local.console import say, step
from deploy.local.down import clear_left_overs, stop
from deploy.local.jobs import run_jobs
from deploy.local.logs import set_aside
from deploy.local.ports import require_free
from deploy.local.probe import check_ready
from deploy.local.process import SUPERVISOR, read_pid
from deploy.local.servers import Server
from deploy.local.services import SERVICES, Service
from deploy.local.stack import Stack
from deploy.local.waiting import Watch, side_by_side

READY_SECONDS = 90.0


def up(stack: Stack) -> bool:
    """Start the shop and return when it is ready; False when it was up before. Raises LocalError with the reason.

    After a failure nothing runs, and the logs stay.
    """
    if is_up(stack):
        return False
    stack.make_env_file()
    stack.state.make()
    clear_left_overs(stack)
    set_aside(stack.state)
    try:
        _start(stack)
    except BaseException:
        stop(stack)
        raise
    return True


def is_up(stack: Stack) -> bool:
    """Whether an `up` has completed and its supervisor lives."""
    return read_pid(stack.state, SUPERVISOR) is not None and stack.state.ready.exists()


def _start(stack: Stack) -> None:
    servers = stack.servers()
    require_free({variable: port for server in servers for variable, port in server.ports.items()} | stack.ports)
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
        side_by_side(partial(_wait_for, stack), SERVICES)
    stack.state.ready.touch()


def _bring_up(stack: Stack, server: Server) -> None:
    """Wait for a server, then run the jobs that need it."""
    Watch(stack.state, server.name).wait(server.check, READY_SECONDS)
    run_jobs(stack, server.name)


def _wait_for(stack: Stack, service: Service) -> None:
    watch = Watch(stack.state, service.name)
    port = stack.port_of(service)
    watch.wait(partial(check_ready, service.name, port) if port else watch.check_steady, READY_SECONDS)
