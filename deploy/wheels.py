"""`make wheels`: check that every locked package has wheels for the two architectures of the images, so no build needs a compiler.

pip downloads each lock as an image installs it, with hashes, from its configured index. The extra for traces is one of them.
`make test` leaves this out, because it downloads every package.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.service_list import ROOT

BUILT = ("mysqlclient",)  # in order_service's first stage
GLIBC = range(17, 37)  # manylinux_2_17, the oldest, to that of Debian 12
MACHINES = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}


def packages(lock: Path) -> dict[str, str]:
    """The entries of a lock, with their hashes, by name. Packages that an image compiles are left out."""
    entries = re.findall(r"^[a-z0-9].*(?:\n +--hash.*)+", lock.read_text(), re.MULTILINE)
    found = {re.split(r"[=\[ ]", entry, maxsplit=1)[0]: entry for entry in entries}
    return {name: entry for name, entry in found.items() if name not in BUILT}


def download(lock: str, machine: str, directory: str) -> str:
    """Fetch the wheels of a lock's text for a machine. Returns pip's error message, or an empty string."""
    path = Path(directory) / "lock.txt"
    path.write_text(lock)
    options = ["-q", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    options += ["--implementation", "cp", "--python-version", "3.11"]
    command = [sys.executable, "-m", "pip", "download", *options, "-d", directory, "-r", str(path)]
    command += [f"--platform={name}_{machine}" for name in ("linux", *(f"manylinux_2_{minor}" for minor in GLIBC))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def image_locks() -> list[Path]:
    """The locks that the Dockerfile installs: of each service, and of the extra."""
    return [*sorted(ROOT.glob("requirements/*_service.txt")), ROOT / "requirements" / "otel.txt"]


def main() -> int:
    """Return the exit status: 1 when a package has no wheel for a machine."""
    entries = {entry: name for lock in image_locks() for name, entry in packages(lock).items()}
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
