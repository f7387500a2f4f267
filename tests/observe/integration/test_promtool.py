"""Prometheus' own tool accepts the rules and runs their tests. Debian's package prometheus has it."""

import subprocess

from deploy.local.state import ROOT

RULES = ROOT / "deploy" / "observe" / "rules"


def promtool(*arguments):
    ended = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_promtool_accepts_the_rules():
    promtool("check", "rules", str(RULES / "recording.yml"), str(RULES / "alerts.yml"))


def test_the_alerts_fire_when_they_should_and_are_silent_when_not():
    promtool("test", "rules", str(RULES / "rules_test.yml"))
