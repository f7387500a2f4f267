"""The structure of docker-compose.yaml: what no engine is needed to see."""

import importlib
import re

import pytest

from deploy.compose import kafka_init, mongo_init, mysql_init
from deploy.service_list import mongo_names, ports
from tests.architecture.compose import ROOT, commands, package_of, read, variables

TEXT = (ROOT / "docker-compose.yaml").read_text()
COMPOSE = read("docker-compose.yaml")
SERVICES = COMPOSE["services"]
OURS = {name: package_of(service) for name, service in SERVICES.items() if package_of(service)}
RUNNING = [name for name in OURS if SERVICES[name]["restart"] == "unless-stopped"]
JOBS = [name for name in OURS if name not in RUNNING]
PREPARING = {
    "kafka-init": kafka_init.Config,
    "mongo-init": mongo_init.Config,
    "mysql-init": mysql_init.Config,
}  # jobs on a server, by a script of their own
COMMANDS = [name for name in OURS if name not in PREPARING]
OF_A_COMMAND = {
    "STAFF_PASSWORD": "staff",
    "MYSQL_MIGRATE_USER": "order-migrate",
    "MYSQL_MIGRATE_PASSWORD": "order-migrate",
}
DOCUMENTED = {
    "user-web": 4000,
    "product-web": 8000,
    "order-web": 3000,
    "notification": 5000,
    "kafka-ui-proxy": 8080,
    "kafka": 29092,
    "mongo": 27017,
    "mysql": 3307,
}


EXACT = r"[a-z./-]+:v?\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?"
"""A tag of one release, with the digest that `make pin` adds."""
SERVER_OF = {"MONGO_URI": "mongo", "MYSQL_HOST": "mysql", "SMTP_SERVER": "mail"}
ROOT_FIRST = {"CHOWN", "DAC_OVERRIDE", "SETGID", "SETUID"}
"""For an entry point that prepares data as root, and then becomes another user."""
LOGIN = {"KAFKA_SECURITY", "KAFKA_USERNAME", "KAFKA_PASSWORD"}


def published(name):
    return [re.sub(r"\$\{\w+:-(\d+)\}", r"\1", port) for port in SERVICES[name].get("ports", [])]


def settings_of(package):
    """The fields that a service may read: its configuration's, and those of a command's own."""
    config = importlib.import_module(f"{package}.config")
    more = [getattr(config, name).model_fields for name in ("StaffPassword", "Migrator") if hasattr(config, name)]
    return config.Config.model_fields, set(config.Config.model_fields).union(*more)


@pytest.mark.parametrize(("name", "port"), DOCUMENTED.items())
def test_the_documented_ports_are_published_on_loopback(name, port):
    assert published(name)[0].startswith(f"127.0.0.1:{port}:")


OBSERVERS = {"zipkin": 9411, "prometheus": 9090, "alertmanager": 9095, "grafana": 3030}


def test_what_observes_the_shop_is_started_on_request_only():
    started = {name for name, service in SERVICES.items() if service.get("profiles") == ["observe"]}
    assert started == {*OBSERVERS, "node-exporter"}  # which has no page
    text = (ROOT / "docs" / "operations.md").read_text()
    for name, port in OBSERVERS.items():
        assert published(name)[0].split(":")[1] == str(port)
        assert f"http://127.0.0.1:{port}/" in text


def test_nothing_else_is_published_and_nothing_beyond_loopback():
    ports = [port for name in SERVICES for port in published(name)]
    assert {int(port.split(":")[1]) for port in ports} == {*DOCUMENTED.values(), *OBSERVERS.values(), 1025, 8025}
    assert all(port.startswith("127.0.0.1:") for port in ports)


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_from_elsewhere_is_pinned(name):
    service = SERVICES[name]
    assert "build" in service or re.fullmatch(EXACT, service["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_waits_for_exists_and_can_be_waited_for(name):
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        if wait["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]
        else:
            assert wait["condition"] == "service_completed_successfully"
            assert other in JOBS


@pytest.mark.parametrize("name", OURS)
def test_a_process_that_needs_a_server_waits_for_it(name):
    servers = {"MONGO_URI": "mongo", "MYSQL_HOST": "mysql"}
    if SERVICES[name].get("command") in (["worker"], ["topics"]) or OURS[name] == "notification_service":
        servers["KAFKA_BROKERS"] = "kafka"
    needed = {server for variable, server in servers.items() if variable in SERVICES[name]["environment"]}
    if SERVICES[name].get("command") == ["topics"]:
        needed = {"kafka-init"}
    assert needed <= waits_for(name)


def waits_for(name):
    """All that a service waits for, at any distance."""
    others = set(SERVICES[name].get("depends_on", {}))
    return others.union(*(waits_for(other) for other in others))


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_a_limit_a_rotating_log_and_a_way_back(name):
    service = SERVICES[name]
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert service["logging"] == {"driver": "local"}
    assert service["restart"] in ("unless-stopped", "on-failure:3")
    assert service["stop_grace_period"] == "45s"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_service_gets_every_required_variable_and_none_it_does_not_read(name):
    fields, readable = settings_of(OURS[name])
    given = set(SERVICES[name]["environment"])
    assert {field.upper() for field, info in fields.items() if info.is_required()} <= given
    assert given <= {field.upper() for field in readable}


SET_BY_THE_IMAGE = {"BIND_HOST", *(variable for variable, _ in ports().values())}


@pytest.mark.parametrize("package", sorted(set(OURS.values())))
def test_every_variable_of_a_configuration_can_be_set(package):
    given = {v for name in COMMANDS if OURS[name] == package for v in SERVICES[name]["environment"]}
    assert {field.upper() for field in settings_of(package)[1]} - SET_BY_THE_IMAGE == given


@pytest.mark.parametrize(("variable", "job"), OF_A_COMMAND.items())
def test_what_one_command_reads_is_given_to_it_alone(variable, job):
    assert [name for name in COMMANDS if variable in SERVICES[name]["environment"]] == [job]


@pytest.mark.parametrize(("name", "config"), PREPARING.items())
def test_a_job_that_prepares_a_server_gets_exactly_what_it_reads(name, config):
    assert {field.upper() for field in config.model_fields} == set(SERVICES[name]["environment"])
    script = config.__module__.rpartition(".")[2]
    assert SERVICES[name]["entrypoint"] == ["python", "-m", script]
    assert SERVICES[name]["volumes"] == [f"./deploy/compose/{script}.py:/app/{script}.py:ro"]


@pytest.mark.parametrize("name", mongo_names())
def test_the_accounts_of_mongodb_are_the_services_own(name):
    addresses = [SERVICES[n]["environment"].get("MONGO_URI") for n in COMMANDS if OURS[n] == f"{name}_service"]
    assert addresses
    for address in addresses:
        assert address.startswith(f"mongodb://microshop_{name}:")
        assert address.endswith(f"@mongo:27017/microshop_{name}?replicaSet=rs0")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_one_of_the_service(name):
    command = SERVICES[name].get("command", ["web"])[0]
    assert command in commands(OURS[name])
    check = SERVICES[name].get("healthcheck", {}).get("test")
    if command == "worker":
        assert check == ["CMD", "python", "-m", OURS[name], "check-worker"]
        assert "check-worker" in commands(OURS[name])
    else:
        assert check is None  # the image's own, or none for a job


def test_every_secret_must_be_set():
    names = set(re.findall(r"(?<!\$)\$\{(\w*(?:SECRET|PASSWORD|KEYFILE|SECRET_KEY))(?!\w)", TEXT))
    assert names
    for name in names:
        assert re.findall(rf"(?<!\$)\$\{{{name}(?!:\?set {name} in \.env\}})", TEXT) == []


@pytest.mark.parametrize("name", OURS)
def test_our_containers_write_nowhere_and_may_do_nothing_else(name):
    service = SERVICES[name]
    assert service["read_only"]
    assert service["tmpfs"] == ["/tmp:size=64m"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"]
    assert "user" not in service  # the image's own, which is not root


def is_internal(network):
    return (COMPOSE["networks"][network] or {}).get("internal", False)


def needed_networks(name):
    """The networks of the servers that a process of ours uses, by its settings and its command."""
    environment, command = SERVICES[name]["environment"], SERVICES[name].get("command", ["web"])
    if name in PREPARING:
        return {name.removesuffix("-init")}
    found = {"kafka"} if "KAFKA_PASSWORD" in environment else set()
    if command != ["topics"]:
        found |= {network for variable, network in SERVER_OF.items() if variable in environment}
    return found | ({"edge"} if name in DOCUMENTED else set())


@pytest.mark.parametrize("name", OURS)
def test_a_process_is_on_the_networks_that_it_needs_and_on_no_others(name):
    assert set(SERVICES[name]["networks"]) == needed_networks(name)


def test_workers_and_jobs_are_not_reached_from_outside():
    for name in OURS:
        if name not in DOCUMENTED:
            assert all(map(is_internal, SERVICES[name]["networks"]))


@pytest.mark.parametrize("server", ["kafka", "mongo", "mysql"])
def test_a_server_shares_its_way_out_with_no_other_container(server):
    assert SERVICES[server]["networks"] == [server, f"{server}-host"]
    assert is_internal(server)
    assert [name for name, service in SERVICES.items() if f"{server}-host" in service["networks"]] == [server]


@pytest.mark.parametrize("name", COMMANDS)
def test_only_the_clients_of_kafka_have_an_account_there(name):
    environment, service = SERVICES[name]["environment"], OURS[name].removesuffix("_service")
    if SERVICES[name].get("command") in (["worker"], ["topics"]) or name == "notification":
        assert (environment["KAFKA_SECURITY"], environment["KAFKA_USERNAME"]) == ("scram", service)
        assert variables(environment["KAFKA_PASSWORD"]) == {f"KAFKA_PASSWORD_{service.upper()}"}
    else:
        assert not set(environment) & LOGIN


def test_no_listener_of_kafka_is_without_a_login():
    environment = SERVICES["kafka"]["environment"]
    listeners = {text.partition(":")[0] for text in environment["KAFKA_LISTENERS"].split(",")}
    protocols = dict(text.split(":") for text in environment["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))
    assert set(protocols) == listeners
    assert set(protocols.values()) == {"SASL_PLAINTEXT"}
    assert environment["KAFKA_SUPER_USERS"] == "User:admin"
    assert "KAFKA_ALLOW_EVERYONE_IF_NO_ACL_FOUND" not in environment


def test_kafka_ui_is_started_on_request_only_and_asks_for_a_login():
    ui, proxy = SERVICES["kafka-ui"], SERVICES["kafka-ui-proxy"]
    assert ui["profiles"] == proxy["profiles"] == ["kafka-ui"]
    assert sorted(name for name, s in SERVICES.items() if s.get("profiles") == ["kafka-ui"]) == [
        "kafka-ui",
        "kafka-ui-proxy",
    ]
    assert ui["environment"]["AUTH_TYPE"] == "LOGIN_FORM"
    assert ui["environment"]["KAFKA_CLUSTERS_0_READONLY"] == "true"
    assert "ports" not in ui
    assert proxy["networks"] == ["kafka-ui"]
    text = (ROOT / "deploy" / "compose" / "proxy" / "kafka-ui.conf").read_text()
    for header in ("Origin", "Credentials", "Methods", "Headers", "Max-Age"):
        name = header if header == "Max-Age" else f"Allow-{header}"
        assert f"proxy_hide_header Access-Control-{name};" in text


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_has_few_rights_and_a_limit_of_processes(name):
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert 0 < service["pids_limit"] <= 1024
    assert set(service.get("cap_add", [])) <= ROOT_FIRST
    assert not service.get("privileged")


def test_every_service_with_data_keeps_it_in_a_named_volume():
    mounts = [mount for service in SERVICES.values() for mount in service.get("volumes", [])]
    named = {mount.partition(":")[0] for mount in mounts if not mount.startswith(".")}
    assert named == set(COMPOSE["volumes"])


def test_every_variable_is_explained_in_the_example():
    example = (ROOT / "env.example").read_text()
    assert variables(TEXT) <= set(re.findall(r"^(\w+)=", example, re.MULTILINE))
