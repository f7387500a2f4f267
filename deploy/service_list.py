"""The services: every folder *_service that has a __main__.py, and the variables that each of them reads.

Files that name services themselves (docker-compose.yaml, pyproject.toml, deploy/local/services.py, the documents) are checked
against this list by tests/architecture/test_services.py.
"""

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SERVICES = tuple(sorted(path.parent.name for path in ROOT.glob("*_service/__main__.py")))


@cache
def variables(service: str) -> dict[str, Any]:
    """The variables of a service's Config, each with its default (pydantic's PydanticUndefined for a required one)."""
    fields = import_module(f"{service}.config").Config.model_fields
    return {name.upper(): info.default for name, info in fields.items()}


@cache
def ports() -> dict[str, tuple[str, int]]:
    """The variable and the default of the HTTP port, by service. A service without an API is left out."""
    names = {service: f"{service.upper()}_PORT" for service in SERVICES}
    return {service: (name, variables(service)[name]) for service, name in names.items() if name in variables(service)}


@cache
def mongo_names() -> tuple[str, ...]:
    """`user` for user_service, and so on: the services that keep their data in MongoDB, as MONGO_URI_USER names them."""
    return tuple(service.removesuffix("_service") for service in SERVICES if "MONGO_URI" in variables(service))
