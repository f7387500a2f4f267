"""Composes mails from their kind and content by the templates in templates/.

They are compiled once, with their CSS inlined (inlined.py).
"""

from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime, tzinfo
from functools import partial
from hashlib import sha256

from jinja2 import DictLoader, Environment, StrictUndefined

from libs.values.time_zone import zone_name
from notification_service.domain.mail import LinkContent, Mail, MailContent, OrderContent, Shortage
from notification_service.domain.mail_kinds import KINDS, REASONS
from notification_service.rendering.inlined import load_templates
from notification_service.rendering.wrapping import wrap


class Composer:
    """Composes mails in the shop's name."""

    def __init__(
        self, *, shop: str, shop_url: str, links_url: str, message_id_domain: str, time_zone: tzinfo = UTC
    ) -> None:
        """`shop_url`: the shop's address, or "". `links_url`: where the pages that mail links open are. Neither ends with a slash.
        `message_id_domain` is the last part of each Message-ID. `time_zone`: of the times in mails."""
        self._shop, self._shop_url, self._time_zone = shop, shop_url, time_zone
        self._links_url, self._message_id_domain = links_url, message_id_domain
        self._templates = Environment(
            loader=DictLoader(load_templates()),
            autoescape=lambda name: bool(name and name.endswith(".html")),
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"in_words": partial(_in_words, time_zone), "wordwrap": wrap}

    def compose(
        self, kind: str, *, event_id: str, recipient: str, content: MailContent, trace_id: str | None = None
    ) -> Mail:
        """The mail of `kind` to `recipient`. An event always gives the same Message-ID, so that a repeated mail is recognisable."""
        row = KINDS[kind]
        values: dict[str, object] = {field.name: getattr(content, field.name) for field in fields(content)}
        values |= {"shop": self._shop}
        context = values | {
            "shop_url": self._shop_url,
            "heading": row.heading.format_map(values),
            "lead": row.lead.format_map(values),
            "kind": row,
            "year": datetime.now(self._time_zone).year,
        }
        if isinstance(content, LinkContent):
            context["link"] = f"{self._links_url}/{kind}?token={content.token}"
        order = content if isinstance(content, OrderContent) else None
        if order:
            context["explanation"] = REASONS.get(order.reason or "", "")
            context["problems"] = list(_problems(order))
        html = self._templates.get_template(f"{row.template}.html").render(context)
        digest = sha256(f"{event_id} {kind}".encode()).hexdigest()
        return Mail(
            kind=kind,
            recipient=recipient,
            subject=row.subject.format_map(values),
            text=self._templates.get_template(f"{row.template}.txt").render(context),
            html=html,
            message_id=f"<{digest}@{self._message_id_domain}>",
            order_id=order.order_id if order else None,
            trace_id=trace_id,
        )


def _problems(order: OrderContent) -> Iterator[tuple[str, str]]:
    """The lines of a rejected order that were the reason: the product's name, and what is wrong with it."""
    for line in order.shortages:
        yield line.name, f"You ordered {line.wanted:,}. {_available(line)}"
    for changed in order.price_changes:
        currency = changed.price.currency
        yield (
            changed.name,
            f"You ordered it at {changed.ordered_at} {currency}. It costs {changed.price} {currency} now.",
        )


def _available(line: Shortage) -> str:
    if line.withdrawn:
        return "It is no longer sold."
    match line.available:
        case 0:
            return "None is left."
        case 1:
            return "1 is left."
    return f"{line.available:,} are left."


def _in_words(zone: tzinfo, moment: datetime) -> str:
    """`31 January 2026, 13:00 UTC`, or `31 January 2026, 14:00 (Europe/Berlin)`."""
    name = zone_name(zone)
    return f"{moment.astimezone(zone):%d %B %Y, %H:%M} {name if name == 'UTC' else f'({name})'}"
