"""Actions on many rows of a list, as staff run them: the page that asks, its form, and the message with the results."""

import re
from typing import NamedTuple

MESSAGE = re.compile(r'<li class="desk-message (\w+)">(.*?)</li>\s*</ul>\s*</div>', re.DOTALL)
FIELD = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


class Report(NamedTuple):
    """The message: its level, its first sentence, and its lines about single rows."""

    level: str
    head: str
    rows: tuple = ()


def ask(browser, path, action, *rows, **more):
    """The page that asks."""
    answer = browser.post(path, {"action": action, "index": "0", "_selected_action": rows, **more})
    assert answer.status_code == 200, answer.headers
    return answer


def fields(answer):
    """The fields of the page's form."""
    html, found = answer.content.decode(), {}
    form = html[html.index('<form method="post"') :]
    for name, value in FIELD.findall(form[: form.index("</form>")]):
        found.setdefault(name, []).append(value)
    return found


def send(browser, path, form):
    """Send the form, and return the message about it."""
    html = browser.post(path, form, follow=True).content.decode()
    [(level, message)] = MESSAGE.findall(html)
    rows = tuple(re.sub(r"<[^>]*>", "", row) for row in re.findall(r"<li>(.*?)</li>", message))
    head = re.sub(r"<[^>]*>", "", message.partition("</p>")[0]).strip()
    return Report(level, head, rows if head.count("refused") or head.count("unchanged") else ())


def confirm(browser, path, action, *rows, **more):
    """Run an action and say yes; return the message."""
    return send(browser, path, fields(ask(browser, path, action, *rows, **more)))
