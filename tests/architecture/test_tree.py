"""The rules of the tree: small files, the same rooms in each service, shared packages without the domain, types."""

import ast
import re
import statistics
import subprocess
import sys

import pytest

from deploy.service_list import ROOT, SERVICES
from tests.architecture.compose import commands

PACKAGES = ("libs", "contracts", *SERVICES)
SKIP = {"tests", "migrations", "__pycache__"}
FILES = [p for package in PACKAGES for p in sorted((ROOT / package).rglob("*.py")) if not SKIP & set(p.parts)]


def name_of(path):
    return str(path.relative_to(ROOT))


def test_files_stay_small():
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in FILES}
    assert {name: length for name, length in lengths.items() if length > 300} == {}
    assert statistics.median(lengths.values()) <= 80


def test_the_readme_says_how_much_code_there_is():
    files = [*FILES, *(p for p in sorted((ROOT / "deploy").rglob("*.py")) if not SKIP & set(p.parts))]
    lengths = [len(path.read_text().splitlines()) for path in files]
    text = " ".join((ROOT / "README.md").read_text().split())
    said = re.search(r"about ([\d,]+) lines of Python in ([\d,]+) files.+? half of them have less than (\d+)", text)
    assert said
    lines, count, half = (int(number.replace(",", "")) for number in said.groups())
    assert (sum(lengths), len(files)) == (pytest.approx(lines, rel=0.1), pytest.approx(count, rel=0.1))
    assert statistics.median(lengths) <= half


@pytest.mark.parametrize("folder", sorted({p.parent for p in (ROOT / "deploy").rglob("*.py")}), ids=name_of)
def test_a_folder_of_deploy_has_at_most_fourteen_modules(folder):
    assert len(list(folder.glob("*.py"))) <= 14


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_module_says_why_it_exists(path):
    tree = ast.parse(path.read_text())
    assert not tree.body or ast.get_docstring(tree)


def read_tree():
    """The tables of docs/architecture.md: the services of each room, and the shared packages."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    rooms = dict(re.findall(r"^\| `([\w./]+)` \| [^|]+ \| ([\w, ]+) \|$", text, re.MULTILINE))
    packages = re.findall(r"^\| `(libs/\w+)/` \| [^|]+ \|$", text, re.MULTILINE)
    return {
        name: set(SERVICES) if services == "all" else set(services.split(", ")) for name, services in rooms.items()
    }, packages


ROOMS, SHARED = read_tree()
NEEDED = {"__init__.py", "__main__.py", "config.py", "worker", "use_cases", "domain", "events", "store"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_the_rooms_that_the_architecture_page_lists(service):
    listed = {name.rstrip("/") for name, services in ROOMS.items() if service in services}
    folders = {name.rpartition("/")[0] for name in listed} | {""}
    ignored = {"tests", "__pycache__"}
    real = {path.name for path in (ROOT / service).iterdir()} - ignored
    for folder in folders - {""}:  # a room with rooms of its own
        real |= {f"{folder}/{path.parent.name}" for path in (ROOT / service / folder).glob("*/__init__.py")}
    of_django = {f"desk/{name}" for name in ("templatetags", "migrations")}
    assert real - listed - of_django == set()
    assert real >= NEEDED
    assert ("api" in real) == ("web" in commands(service))


def test_each_room_on_the_architecture_page_exists():
    missing = [
        f"{service}/{name}"
        for name, services in ROOMS.items()
        for service in services
        if not (ROOT / service / name).exists()
    ]
    assert missing == []


def test_the_architecture_page_lists_the_folders_beside_the_services():
    text = (ROOT / "docs" / "architecture.md").read_text().partition("## The rest of the tree")[2]
    listed = set(re.findall(r"^\| `([\w/]+)/` \|", text, re.MULTILINE))
    folders = [*ROOT.glob("[a-z]*/"), *(ROOT / "deploy").glob("[a-z]*/")]
    real = {name_of(folder) for folder in folders if any(p.is_file() and p.suffix != ".pyc" for p in folder.rglob("*"))}
    assert listed == real - {*SERVICES, "libs", "docs", "deploy"}


def test_the_architecture_page_lists_the_shared_packages():
    assert sorted(SHARED) == sorted(
        f"libs/{path.parent.name}" for path in (ROOT / "libs").glob("*/__init__.py") if path.parent.name != "tests"
    )


@pytest.mark.parametrize("package", [ROOT / service for service in SERVICES])
def test_a_services_root_has_at_most_thirteen_entries(package):
    of_django = {"manage.py", "settings.py", "urls.py"}
    assert len({path.name for path in package.iterdir()} - {"__pycache__"} - of_django) <= 13


WORDS_OF_THE_DOMAIN = {"order", "product", "stock", "mail", "customer", "cart"}
WORDS_OF_DJANGO = re.compile(r"\border_by\b")


@pytest.mark.parametrize("path", [p for p in FILES if p.parts[-3] == "libs" and p.parts[-2] != "values"], ids=name_of)
def test_a_shared_package_has_no_word_of_the_domain(path):
    text = WORDS_OF_DJANGO.sub("", path.read_text())
    words = {word.lower() for word in re.findall(r"[A-Z]?[a-z]+", text)}
    assert WORDS_OF_THE_DOMAIN & (words | {word.removesuffix("s") for word in words}) == set()


JSON_AND_BSON = (
    "contracts/__init__.py",  # schemas
    "libs/runtime/health.py",  # the report
    "libs/runtime/http_client.py",  # bodies of responses
    "libs/messaging/kafka/clients.py",  # librdkafka's settings
    "libs/web/bodies.py",
    "libs/web/drf.py",
    "libs/web/drf_views.py",
    "libs/web/flask.py",
    "libs/mongo_store/",
    "libs/django_store/",
    "/api/schemas.py",
    "/api/responses.py",
    "/api/openapi.py",
    "/events/",
    "/store/",
)
"""Where JSON or BSON enters or leaves."""
HEALTH = {"status"}


def free_dicts(path):
    """The lines with `dict[str, Any]`, but in the status of a background task."""
    tree = ast.parse(path.read_text())
    health = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name in HEALTH]
    allowed = {id(node) for function in health for node in ast.walk(function)}
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and ast.unparse(node) == "dict[str, Any]" and id(node) not in allowed
    ]


def test_free_dicts_stay_where_json_or_bson_enters_or_leaves():
    inside = [path for path in FILES if not any(place in f"/{name_of(path)}" for place in JSON_AND_BSON)]
    found = {name_of(path): lines for path in inside if (lines := free_dicts(path))}
    assert found == {}


def positional(function):
    """The names of the parameters that a caller may pass by position."""
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def test_no_function_has_more_than_five_positional_parameters():
    found = {
        f"{name_of(path)}:{node.lineno}": positional(node)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and len(positional(node)) > 5
    }
    assert found == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_opens_nothing_and_reads_no_environment(package):
    code = f"import socket, os; os.environ.clear(); socket.socket.connect = None; import {package}, {package}.__main__"
    if package in ("libs", "contracts"):
        code = code.partition(f", {package}.__main__")[0]
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 0, ended.stderr


def test_no_lock_holds_the_address_of_an_index():
    for lock in [*ROOT.glob("requirements/*.txt"), *ROOT.glob("deploy/**/*.txt")]:
        text = "".join(line for line in lock.read_text().splitlines() if not line.lstrip().startswith("#"))
        assert "--index-url" not in text
        assert "://" not in text
