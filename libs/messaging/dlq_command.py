"""`python -m SERVICE dlq list|show|replay`: show dead letters, and handle them again after the cause is fixed.

A replay runs the handler in the command. Other groups do not see it. Handlers are idempotent, so a second replay changes nothing.
The id of a dead letter is its place, TOPIC/PARTITION/OFFSET. Kafka deletes dead letters after 30 days.
"""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace

from libs.messaging.dead_letters import DeadLetter, read_dead_letters
from libs.messaging.envelope import parse
from libs.messaging.handlers import Handler
from libs.messaging.kafka.brokers import Brokers
from libs.messaging.tracing import handling
from libs.runtime.telemetry import trace_context
from libs.values.text import clean


def run_dlq(brokers: Brokers, groups: Mapping[str, Mapping[str, Handler]], arguments: list[str]) -> int:
    """Run the command. `groups`: each group's handlers by topic. Return 0, or 1 for an unknown id or a failed replay."""
    parser = argparse.ArgumentParser(prog="dlq", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("action", choices=("list", "show", "replay"))
    parser.add_argument("--id", help="TOPIC/PARTITION/OFFSET, as listed")
    parser.add_argument("--all", action="store_true", help="every dead letter")
    options = parser.parse_args(arguments)
    if options.action != "list" and bool(options.id) == options.all:
        parser.error("Give the --id of one dead letter, or --all.")
    done = failed = 0
    for group, handlers in groups.items():
        for letter in read_dead_letters(brokers, group, list(handlers)):
            if options.id in (None, letter.id):
                problem = _act(options.action, letter, group, handlers[str(letter.message.topic())])
                done, failed = done + 1, failed + bool(problem)
    _say(f"{done} dead letters" + (f", {failed} failed again" if failed else ""))
    return 1 if failed or (options.id and not done) else 0


def _act(action: str, letter: DeadLetter, group: str, handler: Handler) -> str:
    """Run the action on one dead letter. Return "", or the name of the error."""
    headers = {clean(name): clean(text) for name, text in letter.headers_text.items()}
    line = f"{letter.id}  {headers.get('x-failed-at')}  attempts {headers.get('x-attempts')}  {headers.get('x-reason')}"
    if action == "show":
        rows = (f"  {name}: {text}" for name, text in headers.items())
        line = "\n".join([letter.id, *rows, f"  key: {letter.message.key()!r}", f"  value: {letter.message.value()!r}"])
    elif action == "replay":
        try:
            with handling(letter.message, group):
                handler(replace(parse(letter.message), trace=trace_context.current()))
        except Exception as error:  # continue with the next dead letter
            _say(f"{letter.id}  failed again: {type(error).__name__}: {clean(str(error))}")
            return type(error).__name__
        line = f"{letter.id}  handled"
    _say(line)
    return ""


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
