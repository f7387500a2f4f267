"""The overrides in deploy/compose/ fit docker-compose.yaml, and each other."""

import itertools
import re
import shutil
import subprocess

import pytest

from deploy import envfile
from deploy.compose import secret_files
from deploy.service_list import mongo_names
from tests.architecture.compose import OVERRIDES, ROOT, package_of, read, read_override, variables

BASE = read("docker-compose.yaml")
NEW = {
    "zookeeper.yaml": {"zookeeper"},
    "cluster.yaml": {"kafka-2", "kafka-3"},
    "tls.yaml": {"proxy"},
    "acme.yaml": {"acme"},
}
ON_TOP_OF = {"acme.yaml": "tls.yaml", "cluster-secrets.yaml": "cluster.yaml"}
COMBINATIONS = [
    (*kafka, *rest)
    for kafka in ((), ("zookeeper.yaml",), ("cluster.yaml",))
    for rest in ((), ("tls.yaml",), ("secrets.yaml",), ("tls.yaml", "secrets.yaml"), ("tls.yaml", "acme.yaml"))
] + [("cluster.yaml", "secrets.yaml", "cluster-secrets.yaml")]


def test_every_override_is_known():
    assert set(itertools.chain(*COMBINATIONS)) == set(OVERRIDES)


@pytest.mark.parametrize("name", OVERRIDES)
def test_an_override_changes_what_is_there_and_adds_what_it_says(name):
    known = set(BASE["services"]) | NEW.get(ON_TOP_OF.get(name), set())
    assert set(read_override(name)["services"]) - known == NEW.get(name, set())


@pytest.mark.parametrize("name", OVERRIDES)
def test_an_override_pins_its_images_and_publishes_on_loopback(name):
    for service_name, service in read_override(name)["services"].items():
        if "image" in service and "build" not in service:
            assert re.fullmatch(r"[a-z./-]+:v?\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?", service["image"])
        for port in service.get("ports") or []:
            assert port.startswith("127.0.0.1:") or service_name == "proxy"


@pytest.mark.parametrize("name", OVERRIDES)
def test_every_variable_of_an_override_is_in_the_example(name):
    text = (ROOT / "deploy" / "compose" / name).read_text()
    assert variables(text) <= set(envfile.read(envfile.EXAMPLE))


def test_each_secret_has_a_file_a_marker_and_no_other_way():
    override = read_override("secrets.yaml")
    assert set(override["secrets"]) == {*secret_files.NAMES, *(f"MONGO_URI_{name.upper()}" for name in mongo_names())}
    markers = envfile.read(ROOT / "deploy" / "compose" / "secrets.env")
    assert set(markers) == set(secret_files.NAMES)
    assert set(secret_files.NAMES) < set(envfile.generated())
    for name, service in BASE["services"].items():
        secret = {v for v, text in service.get("environment", {}).items() if variables(str(text)) & set(markers)}
        changed = override["services"].get(name, {}).get("environment", {})
        assert {v for v, text in changed.items() if text == ""} == secret
        assert {v for v in changed if v.endswith("_FILE")} == {f"{v}_FILE" for v in secret}
        mounted = {f"/run/secrets/{s}" for s in override["services"].get(name, {}).get("secrets", [])}
        assert mounted == {text for v, text in changed.items() if v.endswith("_FILE")}


def test_in_a_cluster_every_client_knows_every_broker():
    override = read_override("cluster.yaml")["services"]
    brokers = "kafka:9092,kafka-2:9092,kafka-3:9092"
    for name, service in BASE["services"].items():
        if "KAFKA_BROKERS" in service.get("environment", {}):
            assert override[name]["environment"]["KAFKA_BROKERS"] == brokers
        if service.get("command") == ["topics"]:
            assert set(override[name]["depends_on"]) == {"kafka-2", "kafka-3"}
    own = {"KAFKA_NODE_ID", "KAFKA_ADVERTISED_LISTENERS", *override["kafka"]["environment"]}
    for name in ("kafka-2", "kafka-3"):  # all else, with the logins, is that of the first broker
        assert override[name]["extends"] == {"file": "docker-compose.yaml", "service": "kafka"}
        assert set(override[name]["environment"]) == own


def test_the_secret_of_each_broker_can_be_a_file():
    first, others = (
        read_override("secrets.yaml")["services"]["kafka"],
        read_override("cluster-secrets.yaml")["services"],
    )
    assert others == {"kafka-2": first, "kafka-3": first}


def test_with_zookeeper_kafka_has_the_same_listeners_and_logins():
    text = (ROOT / "deploy/compose/kafka-zookeeper.properties").read_text().replace("\\\n ", "")
    given = dict(re.findall(r"^([\w.-]+)=(.*)$", text, re.MULTILINE))
    first = BASE["services"]["kafka"]["environment"]
    assert set(given["listeners"].split(",")) == set(first["KAFKA_LISTENERS"].split(",")) - {"CONTROLLER://:9093"}
    assert set(given["listener.security.protocol.map"].split(",")) == set(
        first["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")
    ) - {"CONTROLLER:SASL_PLAINTEXT"}
    for name in ("super.users", "sasl.enabled.mechanisms", "inter.broker.listener.name", "config.providers"):
        assert given[name] == first["KAFKA_" + name.upper().replace(".", "_")]
    login = first["KAFKA_LISTENER_NAME_BROKERS_PLAIN_SASL_JAAS_CONFIG"].replace("$$", "$")
    assert given["listener.name.brokers.plain.sasl.jaas.config"].split() == login.split()
    zookeeper = read_override("zookeeper.yaml")
    assert zookeeper["networks"]["zookeeper"]["internal"]
    assert zookeeper["services"]["zookeeper"]["networks"] == zookeeper["services"]["kafka"]["networks"] == ["zookeeper"]


@pytest.mark.parametrize(("name", "service"), [(name, new) for name, added in NEW.items() for new in sorted(added)])
def test_a_container_of_an_override_has_few_rights_too(name, service):
    made = read_override(name)["services"][service]
    if "extends" not in made:
        assert made["cap_drop"] == ["ALL"]
        assert made["security_opt"] == ["no-new-privileges:true"]
        assert made["pids_limit"] <= 1024


def test_the_proxy_reaches_no_server():
    networks = set(read_override("tls.yaml")["services"]["proxy"]["networks"])
    assert networks == {"edge"}
    assert not [
        name for name in ("kafka", "mongo", "mysql", "mail") if networks & set(BASE["services"][name]["networks"])
    ]


def test_behind_the_proxy_no_service_is_published():
    override = read_override("tls.yaml")["services"]
    webs = {name for name, service in BASE["services"].items() if package_of(service) and service.get("ports")}
    assert webs == set(override) - {"proxy"}
    for name in webs:
        assert override[name]["ports"] is None
        assert override[name]["environment"]["PROXY_COUNT"] == "1"
    served = re.findall(r"set \$service http://([\w-]+):(\d+);", (ROOT / "deploy/compose/proxy/shop.conf").read_text())
    inside = {name: BASE["services"][name]["ports"][0].rpartition(":")[2] for name in webs}
    assert dict(served) == inside
    sent = (ROOT / "deploy/compose/proxy/forward.conf").read_text()
    assert set(re.findall(r"^proxy_set_header (X-Forwarded-\w+) ", sent, re.MULTILINE)) == {
        f"X-Forwarded-{part}" for part in ("For", "Proto", "Host")
    }  # all that PROXY_COUNT makes the services believe: what is not set, a client could


@pytest.mark.parametrize(
    ("name", "other"),
    [("order-web", "USER"), ("order-web", "PRODUCT"), ("order-web", "NOTIFICATION"), ("user-web", "ORDER")],
)
def test_a_service_finds_the_neighbour_that_it_asks(name, other):
    address = BASE["services"][name]["environment"][f"{other}_SERVICE_URL"]
    host, port = address.removeprefix("http://").split(":")
    assert BASE["services"][host]["ports"][0].endswith(f":{port}")
    assert set(BASE["services"][host]["networks"]) & set(BASE["services"][name]["networks"])


def test_the_services_that_call_order_service_are_allowed_behind_the_proxy_too():
    hosts = (BASE["services"]["order-web"], read_override("tls.yaml")["services"]["order-web"])
    assert all("order-web" in service["environment"]["ALLOWED_HOSTS"].split(",") for service in hosts)


def test_secrets_are_written_once_and_complete(tmp_path):
    envfile.create(tmp_path / ".env")
    values = envfile.read(tmp_path / ".env")
    new = secret_files.write(tmp_path / ".env", tmp_path / "secrets")
    assert {path.name for path in (tmp_path / "secrets").iterdir()} == set(new)
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "secrets" / "JWT_SECRET").read_text() == values["JWT_SECRET"]
    assert f":{values['MONGO_PASSWORD_USER']}@mongo:" in (tmp_path / "secrets" / "MONGO_URI_USER").read_text()
    (tmp_path / ".env").write_text("")
    assert secret_files.write(tmp_path / ".env", tmp_path / "secrets") == []


@pytest.mark.parametrize("files", COMBINATIONS, ids="+".join)
def test_compose_itself_accepts_every_combination(files, tmp_path):
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not installed here")
    envfile.create(tmp_path / ".env")
    more = {"SHOP_DOMAIN": "shop.test", "TLS_DIRECTORY": str(tmp_path), "ACME_EMAIL": "shop@example.com"}
    with (tmp_path / ".env").open("a") as file:
        file.writelines(f"{name}={value}\n" for name, value in more.items())
    chosen = ["docker-compose.yaml", *(f"deploy/compose/{name}" for name in files)]
    arguments = ["--env-file", str(tmp_path / ".env"), *(part for name in chosen for part in ("-f", name))]
    done = subprocess.run(
        [docker, "compose", *arguments, "config", "-q"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_proxy_compresses_nothing_so_that_tags_stay_strong():
    configuration = (ROOT / "deploy/compose/proxy/shop.conf").read_text()
    assert re.search(r"^  gzip off;", configuration, re.MULTILINE)
    assert len(re.findall(r"\b(gzip|brotli)\b", re.sub(r"#.*", "", configuration))) == 1
