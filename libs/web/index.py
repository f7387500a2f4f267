"""The index at the root of a service: its name and version, and where its documents and resources are."""

from collections.abc import Mapping
from html import escape

LINKS: Mapping[str, str] = {"health": "/health", "docs": "/docs", "openapi": "/openapi.json", "metrics": "/metrics"}
"""What every service has."""


def index(service: str, version: str, links: Mapping[str, str]) -> dict[str, object]:
    """The index as JSON. `links`: the paths of the service's resources by name."""
    return {"service": service, "version": version, "links": {**LINKS, **links}}


def index_page(service: str, version: str, links: Mapping[str, str]) -> str:
    """The index as a page for a browser."""
    items = "".join(
        f'<li><a href="{escape(path)}">{escape(name)}</a></li>' for name, path in {**LINKS, **links}.items()
    )
    title = f"{escape(service)} {escape(version)}"
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><link rel="icon" href="data:,">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
        f"<body><h1>{title}</h1><ul>{items}</ul></body></html>\n"
    )
