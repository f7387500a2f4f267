"""The commands that run to their end at each start: migrations, indexes, topics; and once, the first data."""

from __future__ import annotations

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
        if job.server == server and not _is_done(stack, job):
            _run(stack, job)
            if job.once:
                _mark(stack, job).parent.mkdir(exist_ok=True)
                _mark(stack, job).write_text(_fingerprint(stack, job))


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


def _is_done(stack: Stack, job: Job) -> bool:
    mark = _mark(stack, job)
    return job.once and mark.exists() and mark.read_text() == _fingerprint(stack, job)


def _mark(stack: Stack, job: Job) -> Path:
    """Beside the data it speaks of, so that a reset forgets both."""
    return stack.state.data / "done" / job.name.replace(" ", "-")


def _fingerprint(stack: Stack, job: Job) -> str:
    """Changes when the staff account in .env does, so that the next start makes the new one."""
    values = [stack.settings.get(name) for name in STAFF] if job.needs_staff else []
    return hashlib.sha256("\0".join((job.name, *values)).encode()).hexdigest()
