"""Reading compose files without an engine."""

import importlib
import re

import yaml

from deploy.service_list import ROOT

OVERRIDES = sorted(path.name for path in (ROOT / "deploy" / "compose").glob("*.yaml"))


class Loader(yaml.SafeLoader):
    """YAML with the tags of compose."""


Loader.add_constructor("!reset", lambda loader, node: None)
Loader.add_constructor(
    "!override",
    lambda loader, node: (
        loader.construct_mapping(node, deep=True)
        if isinstance(node, yaml.MappingNode)
        else loader.construct_sequence(node, deep=True)
    ),
)


def read(path):
    """A compose file as it is written, with its anchors resolved."""
    return yaml.load((ROOT / path).read_text(), Loader)


def read_override(name):
    """One of deploy/compose/."""
    return read(f"deploy/compose/{name}")


def variables(text):
    """The names that compose reads from .env."""
    return set(re.findall(r"(?<!\$)\$\{(\w+)", text))


def package_of(service):
    """The package whose image a service runs in; None for another image."""
    return service.get("build", {}).get("args", {}).get("SERVICE")


def commands(package):
    """The commands that a service's image knows."""
    return importlib.import_module(f"{package}.__main__").COMMANDS
