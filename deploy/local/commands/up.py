"""`make up`: start everything in order. A step begins when the step before it is ready.

In a running shop it restarts what a change of .env concerns.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from deploy.local.commands import changes
from deploy.local.commands.down import clear_left_overs, stop
from deploy.local.console import say, step
from deploy.local.errors import LocalError
from deploy.local.jobs import run_jobs
from deploy.local.ports import require_free
from deploy.local.probe import check_ready
from deploy.local.servers import Server
from deploy.local.services import JOBS, SERVICES, Service, environment
from deploy.local.stack import Stack
from deploy.local.state import ROOT
from deploy.local.supervision import supervisor
from deploy.local.supervision.logs import set_aside
from deploy.local.supervision.process import SUPERVISOR, base_env, read_pid
from deploy.local.supervision.waiting import Watch, side_by_side


def up(stack: Stack) -> bool:
    """Start the shop and return when it is ready; False when it was up before, with the same settings.

    Raises LocalError with the reason. After a failed start nothing runs, and the logs stay.
    """
    if is_up(stack):
        return _apply_changes(stack)
    _start(stack)
    return True


def is_up(stack: Stack) -> bool:
    """Whether an `up` has completed and its supervisor lives."""
    return read_pid(stack.state, SUPERVISOR) is not None and stack.state.ready.exists()


@contextmanager
def clean_start(stack: Stack) -> Iterator[None]:
    """End what a crash has left and put the old logs aside. When the block fails, stop what it has started."""
    stack.state.make()
    clear_left_overs(stack)
    set_aside(stack.state)
    with _stop_on_failure(stack):
        yield


@contextmanager
def _stop_on_failure(stack: Stack) -> Iterator[None]:
    try:
        yield
    except BaseException:
        stop(stack)
        raise


def _start(stack: Stack) -> None:
    stack.make_env_file()
    with clean_start(stack):
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
        changes.record(stack.state, stack.settings)


def _bring_up(stack: Stack, server: Server) -> None:
    """Wait for a server, then run the jobs that need it."""
    Watch(stack.state, server.name).wait(server.check)
    run_jobs(stack, [job for job in JOBS if job.server == server.name])


def _wait_for(stack: Stack, service: Service) -> None:
    watch = Watch(stack.state, service.name)
    port = stack.port_of(service)
    watch.wait(partial(check_ready, service.name, port) if port else watch.check_steady)


def _apply_changes(stack: Stack) -> bool:
    """Restart what other settings concern. Raises LocalError, before anything ends, for settings that a service refuses."""
    found = changes.find_changes(stack.state, stack.settings)
    if not found.names:
        return False
    say(f"  changed since the start: {', '.join(found.names)}")
    _require_valid(stack, found.services)
    if found.servers:
        say(f"  {', '.join(found.servers)}: the servers have to restart, and so has everything")
        stop(stack)
        _start(stack)
        return True
    require_free({name: port for name, port in stack.ports.items() if name in found.names})
    with _stop_on_failure(stack):
        _restart(stack, found.services)
        run_jobs(stack, found.jobs)
    changes.record(stack.state, stack.settings)
    for job in found.jobs:
        say(f"  ran the job {job.name}")
    if not found.services and not found.jobs:
        say("  no process reads that: nothing was restarted")
    return True


def _require_valid(stack: Stack, services: Sequence[Service]) -> None:
    """Raise LocalError with the line of the first service that refuses its new settings."""
    for package in sorted({service.package for service in services}):
        command = [sys.executable, "-m", package, "check-config"]
        env = base_env(stack.state) | environment(package, stack.settings)
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or [f"{package} ended with status {done.returncode}"])[-1]
            raise LocalError(f"{reason}. Nothing was restarted")


def _restart(stack: Stack, services: Sequence[Service]) -> None:
    if not services:
        return
    processes = [service.process(stack.settings) for service in services]
    with step("restarting " + ", ".join(service.name for service in services)):
        side_by_side(partial(supervisor.restart_service, stack.state), processes)
        side_by_side(partial(_wait_for, stack), services)
