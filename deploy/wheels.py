"""`make wheels`: every locked package has wheels for the images' two architectures, so that no build needs a compiler.

pip decides, from the index that it is set up for: each lock is downloaded as an image would install it, hashes checked. Not part of
`make test`, for it downloads them all.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.local.state import ROOT

BUILT = ("mysqlclient",)  # in order_service's first stage
GLIBC = range(17, 37)  # manylinux_2_17, the oldest, to that of Debian 12
MACHINES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}


def packages(lock: Path) -> dict[str, str]:
    """The entries of a lock, with their hashes, by name; those that are compiled are left out."""
    entries = re.findall(r"^[a-z0-9].*(?:\n +--hash.*)+", lock.read_text(), re.MULTILINE)
    found = {re.split(r"[=\[ ]", entry, maxsplit=1)[0]: entry for entry in entries}
    return {name: entry for name, entry in found.items() if name not in BUILT}


def download(lock: str, machine: str, directory: str) -> str:
    """Fetch the wheels of a lock's text for a machine. Returns pip's complaint, empty when there is none."""
    path = Path(directory) / "lock.txt"
    path.write_text(lock)
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--disable-pip-version-check",
        "--no-deps",
        "--require-hashes",
    ]
    command += [
        "--only-binary",
        ":all:",
        "--implementation",
        "cp",
        "--python-version",
        "3.11",
        "-d",
        directory,
        "-r",
        str(path),
    ]
    command += [f"--platform={name}_{machine}" for name in ("linux", *(f"manylinux_2_{minor}" for minor in GLIBC))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def main() -> int:
    """Return the exit status: 1 when a package has no wheel for a machine."""
    locks = sorted(ROOT.glob("*_service/requirements.txt"))
    entries = {entry: name for lock in locks for name, entry in packages(lock).items()}
    text = "\n".join(entries) + "\n"
    failed = 0
    for platform, machine in MACHINES.items():
        with tempfile.TemporaryDirectory() as directory:
            complaint = download(text, machine, directory)
        failed += bool(complaint)
        print(f"{platform}: {complaint.strip() or f'{len(entries)} packages, all with wheels'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
