"""The jobs of a start: migrations, indexes and topics at every start, the first data once."""

import hashlib
import subprocess
import sys
from pathlib import Path

from deploy.local.errors import LocalError
from deploy.local.logs import last_line
from deploy.local.process import base_env
from deploy.local.services import JOBS, Job, environment
from deploy.local.stack import Stack
from deploy.local.state import ROOT

SECONDS = 120
STAFF = ("STAFF_EMAIL", "STAFF_PASSWORD")


def run_jobs(stack: Stack, server: str) -> None:
    """Run the jobs of one server in their order. Raises LocalError at the first that fails."""
    for job in JOBS:
        if job.server != server:
            continue
        mark, fingerprint = _mark(stack, job), _fingerprint(stack, job)
        if job.once and mark.exists() and mark.read_text() == fingerprint:
            continue
        _run(stack, job)
        if job.once:
            mark.parent.mkdir(exist_ok=True)
            mark.write_text(fingerprint)


def _run(stack: Stack, job: Job) -> None:
    values = stack.settings.values
    arguments, extra = list(job.arguments), {name: values[name] for name in job.extra if name in values}
    if job.needs_staff:
        arguments += ["--email", stack.settings.get("STAFF_EMAIL")]
        extra = {"STAFF_PASSWORD": stack.settings.get("STAFF_PASSWORD")}
    log = stack.state.log / f"{job.name.replace(' ', '-')}.log"
    with log.open("w") as output:
        done = subprocess.run(
            [sys.executable, "-m", job.package, *arguments],
            cwd=ROOT,
            env=base_env(stack.state) | environment(job.package, stack.settings) | extra,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            check=False,
        )
    if done.returncode:
        raise LocalError(f"{job.name} ended with status {done.returncode}: {last_line(log)} (log: {log})")


def _mark(stack: Stack, job: Job) -> Path:
    """A file beside the data, so that a reset deletes both."""
    return stack.state.data / "done" / job.name.replace(" ", "-")


def _fingerprint(stack: Stack, job: Job) -> str:
    """Changes with the staff account in .env, so that the next start makes the new account."""
    values = [stack.settings.get(name) for name in STAFF] if job.needs_staff else []
    return hashlib.sha256("\0".join((job.name, *values)).encode()).hexdigest()
