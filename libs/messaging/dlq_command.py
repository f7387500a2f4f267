"""`python -m SERVICE dlq list|show|replay`: look at dead letters, and handle them again once the cause is mended.

A replay runs the handler here, in the command: no other group sees it, and the effects are idempotent, so twice is no harm.
The id of a dead letter is its place, TOPIC/PARTITION/OFFSET; Kafka forgets it after 30 days.
"""

import argparse
import sys
from collections.abc import Mapping

from libs.messaging.dead_letters import DeadLetter, read_dead_letters
from libs.messaging.envelope import parse
from libs.messaging.handler_pool import Handler


def run_dlq(brokers: str, groups: Mapping[str, Mapping[str, Handler]], arguments: list[str]) -> int:
    """The command. `groups`: each group's handlers by topic. Returns 0, or 1 when an id is unknown or a replay failed."""
    parser = argparse.ArgumentParser(prog="dlq", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("action", choices=("list", "show", "replay"))
    parser.add_argument("--id", help="TOPIC/PARTITION/OFFSET, as listed")
    parser.add_argument("--all", action="store_true", help="every dead letter")
    wanted = parser.parse_args(arguments)
    if wanted.action != "list" and bool(wanted.id) == wanted.all:
        parser.error("name one dead letter by --id, or take --all")
    done = failed = 0
    for group, handlers in groups.items():
        for letter in read_dead_letters(brokers, group, list(handlers)):
            if wanted.id in (None, letter.id):
                problem = _act(wanted.action, letter, handlers[letter.origin])
                done, failed = done + 1, failed + bool(problem)
    _say(f"{done} dead letters" + (f", {failed} failed again" if failed else ""))
    return 1 if failed or (wanted.id and not done) else 0


def _act(action: str, letter: DeadLetter, handler: Handler) -> str:
    """Do it to one dead letter; return what went wrong, or ""."""
    headers = letter.headers_text
    line = f"{letter.id}  {headers.get('x-failed-at')}  attempts {headers.get('x-attempts')}  {headers.get('x-reason')}"
    if action == "show":
        rows = (f"  {name}: {text}" for name, text in headers.items())
        line = "\n".join([letter.id, *rows, f"  key: {letter.key()!r}", f"  value: {letter.value()!r}"])
    elif action == "replay":
        try:
            handler(parse(letter))
        except Exception as error:  # the next dead letter is tried all the same
            _say(f"{letter.id}  failed again: {type(error).__name__}: {error}")
            return type(error).__name__
        line = f"{letter.id}  handled"
    _say(line)
    return ""


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
