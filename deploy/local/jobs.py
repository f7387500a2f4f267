"""The jobs of a start: migrations, indexes and topics at every start, the first data once."""

import hashlib
import sys
from collections.abc import Sequence
from subprocess import DEVNULL, run

from deploy.local.errors import LocalError
from deploy.local.services import Job, environment
from deploy.local.stack import Stack
from deploy.local.state import ROOT
from deploy.local.supervision.logs import last_line
from deploy.local.supervision.process import base_env

SECONDS = 120


def run_jobs(stack: Stack, jobs: Sequence[Job]) -> None:
    """Run jobs in their order. Raises LocalError at the first that fails."""
    for job in jobs:
        # The marker is beside the data, so a reset deletes both. Another staff account in .env makes the job run again.
        mark = stack.state.data / "done" / job.name.replace(" ", "-")
        fingerprint = hashlib.sha256("\0".join((job.name, *_staff(stack, job).values())).encode()).hexdigest()
        if job.once and mark.exists() and mark.read_text() == fingerprint:
            continue
        _run(stack, job)
        if job.once:
            mark.parent.mkdir(exist_ok=True)
            mark.write_text(fingerprint)


def _run(stack: Stack, job: Job) -> None:
    values, staff = stack.settings.values, _staff(stack, job)
    arguments = (*job.arguments, "--email", staff.pop("STAFF_EMAIL")) if staff else job.arguments
    extra = staff | {name: values[name] for name in job.extra if name in values}
    log = stack.state.log / f"{job.name.replace(' ', '-')}.log"
    with log.open("w") as output:
        command = [sys.executable, "-m", job.package, *arguments]
        env = base_env(stack.state) | environment(job.package, stack.settings) | extra
        done = run(
            command, cwd=ROOT, env=env, stdin=DEVNULL, stdout=output, stderr=output, timeout=SECONDS, check=False
        )
    if done.returncode:
        raise LocalError(f"{job.name} ended with status {done.returncode}: {last_line(log)} (log: {log})")


def _staff(stack: Stack, job: Job) -> dict[str, str]:
    """The staff account in .env, for the job that makes it."""
    return {name: stack.settings.get(name) for name in ("STAFF_EMAIL", "STAFF_PASSWORD") if job.needs_staff}
