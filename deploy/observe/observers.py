"""`make observe`: Zipkin, Prometheus, Alertmanager and the exporter of the disks beside the shop. `make down` ends them, too."""

from deploy.install.download import install_zipkin
from deploy.local.commands.down import reset, stop
from deploy.local.commands.up import clean_start
from deploy.local.console import say, step
from deploy.local.ports import LOOPBACK, require_free
from deploy.local.servers import Server
from deploy.local.services import SERVICES
from deploy.local.stack import Stack
from deploy.local.state import State
from deploy.local.supervision import supervisor
from deploy.local.supervision.process import SUPERVISOR, read_pid
from deploy.local.supervision.waiting import Watch, side_by_side
from deploy.observe.servers import Alertmanager, Disks, Prometheus, Zipkin

PAGES = {"zipkin": "traces", "prometheus": "metrics and alerts", "alertmanager": "alerts that were sent"}
"""What has a page to look at."""


def observers(stack: Stack) -> Stack:
    """The directory of what observes the shop: it starts and stops by itself."""
    return Stack(State(stack.state.path / "observe"), stack.env_file)


def observe(stack: Stack) -> None:
    """Start what is not started yet, and print the addresses of the pages. Raises LocalError after a failed start."""
    install_zipkin()
    aside, servers = observers(stack), make_servers(stack)
    if read_pid(aside.state, SUPERVISOR) is None:
        _start(aside, servers)
    say("")
    for server in servers:
        for port in server.ports.values() if server.name in PAGES else ():
            say(f"  {server.name:<14}{PAGES[server.name]:<24}http://{LOOPBACK}:{port}/")
    say("\n  `make down` ends these, too.")


def make_servers(stack: Stack) -> list[Server]:
    """The servers, with the ports of the settings."""
    state, port = observers(stack).state, stack.settings.port
    jobs = {
        service.package.removesuffix("_service"): stack.settings.port(*service.port)
        for service in SERVICES
        if service.port
    }
    mail, alerts = stack.mail(), port("ALERTMANAGER_PORT", 9095)
    disks = Disks(port("NODE_EXPORTER_PORT", 9100), stack.state.path)
    return [
        Zipkin(state, port("ZIPKIN_PORT", 9411)),
        disks,
        Prometheus(state, port("PROMETHEUS_PORT", 9090), alerts, jobs, disks=disks),
        Alertmanager(state, alerts, mail.smtp_port if mail else None),
    ]


def stop_observing(stack: Stack) -> bool:
    """End what observes the shop. Returns False when nothing ran."""
    return stop(observers(stack))


def delete_observed(stack: Stack) -> None:
    """End it, and delete its data."""
    reset(observers(stack))


def _start(aside: Stack, servers: list[Server]) -> None:
    def wait_for(server: Server) -> None:
        Watch(aside.state, server.name).wait(server.check)

    with clean_start(aside):
        require_free({variable: port for server in servers for variable, port in server.ports.items()})
        for server in servers:
            server.prepare()
        first, *others = [server.process() for server in servers]
        supervisor.start(aside.state, [first], others)
        supervisor.start_services(aside.state)
        with step("starting " + ", ".join(server.name for server in servers)):
            side_by_side(wait_for, servers)
