"""`make kafka`: topics, partitions, groups and lag in the terminal. TOPIC=name shows messages, PAGE=1 the same in the browser."""

import os
import re
from collections.abc import Sequence
from typing import NoReturn

from deploy.arguments import read_variables
from deploy.install.download import install_kaskade
from deploy.install.programs import kaskade
from deploy.local.console import say
from deploy.local.errors import LocalError
from deploy.local.ports import LOOPBACK, require_free
from deploy.local.stack import Stack
from deploy.local.state import ROOT
from deploy.local.supervision.process import base_env

PAGE = ROOT / "deploy" / "observe" / "kafka_page.py"
TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")


def show_kafka(stack: Stack, arguments: Sequence[str]) -> NoReturn:
    """Become kaskade, which changes nothing here. Raises LocalError for an argument that is neither TOPIC nor PAGE."""
    given = read_variables(arguments, ("TOPIC", "PAGE"))
    topic, page = given.get("TOPIC", ""), given.get("PAGE", "0")
    if page not in ("0", "1") or (topic and not TOPIC.fullmatch(topic)):
        raise LocalError("the variables are TOPIC=name and PAGE=1")
    install_kaskade()
    command = ["consumer", "--earliest", "-t", topic, "-k", "string", "-v", "json"] if topic else ["admin"]
    command += ["-b", stack.settings.get("KAFKA_BROKERS")]
    stack.state.make()
    env = base_env(stack.state) | {name: os.environ[name] for name in ("TERM", "COLORTERM") if name in os.environ}
    env |= {"HOME": str(stack.state.data), "XDG_CONFIG_HOME": str(stack.state.data / "kaskade")}
    if page == "1":
        stack.settings.require("KAFKA_UI_PASSWORD")
        port = stack.settings.port("KAFKA_UI_PORT", 8080)
        require_free({"KAFKA_UI_PORT": port})
        env["KAFKA_UI_PASSWORD"] = stack.settings.get("KAFKA_UI_PASSWORD")
        command = ["serve", str(port), *command]
        say(
            f"  http://{LOOPBACK}:{port}/ with the login admin and KAFKA_UI_PASSWORD of {stack.env_file.name}, until Ctrl-C"
        )
    os.chdir(ROOT)
    os.execvpe(str(kaskade()), [str(kaskade()), str(PAGE), *command], env)
