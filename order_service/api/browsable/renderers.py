"""The renderer of the browsable API: pages without scripts, at the addresses of the JSON API.

It is a module of its own, because DRF imports the renderers while it imports the views.
"""

from typing import Any

import orjson
from django.template import loader
from rest_framework.renderers import BrowsableAPIRenderer


class Pages(BrowsableAPIRenderer):
    """Renders the page of a view. A view without a page is shown as JSON."""

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> str:
        """The page; `data` is a problem when the request failed."""
        view, request, response = (renderer_context[name] for name in ("view", "request", "response"))
        problem = data if response.exception else None
        context = {"view": view, "problem": problem, "data": None if problem else data, "status": response.status_code}
        context["json"] = "" if data is None else orjson.dumps(data, option=orjson.OPT_INDENT_2).decode()
        if page := getattr(view, "page", None):
            context |= view.page_context(request, data, problem)
        return loader.render_to_string(page or "problem.html", context, request)
