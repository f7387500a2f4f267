"""`make pin`: add its digest to the tag of each image from elsewhere, in the compose files and the Dockerfiles.

It pulls every image, so it needs a Docker engine and the registries. A pinned image stays what it was when its tag is moved. Run it
again after a change of a tag: it pins the images that have no digest.
"""

import re
import subprocess
import sys

from deploy.service_list import ROOT

FILES = ("docker-compose.yaml", "deploy/compose/*.yaml", "deploy/images/Dockerfile", "deploy/compose/proxy/Dockerfile")
IMAGE = re.compile(r"^((?:    image:|FROM) )(?!microshop/)([^\s@&*]+:[^\s@]+)(?=\s|$)", re.MULTILINE)
"""An image with a tag and without a digest."""


class NotFound(Exception):
    """Raised with the image and the engine's reason."""


def digest(image: str) -> str:
    """The digest of an image in its registry, for all platforms: `sha256:…`. Raises NotFound."""
    _docker("pull", "-q", image)
    found = _docker("image", "inspect", "--format", '{{join .RepoDigests "\\n"}}', image).split()
    if not found:
        raise NotFound(f"{image}: the image on this machine comes from no registry")
    return found[0].rpartition("@")[2]


def pin(text: str, digests: dict[str, str]) -> str:
    """The text of a file with digests."""
    return IMAGE.sub(lambda match: f"{match[1]}{match[2]}@{digests[match[2]]}", text)


def images(text: str) -> set[str]:
    """The images of a file that have no digest."""
    return {image for _, image in IMAGE.findall(text)}


def main() -> int:
    """Return the exit status. Nothing is written when an image is not found."""
    texts = {path: path.read_text() for pattern in FILES for path in sorted(ROOT.glob(pattern))}
    try:
        digests = {image: digest(image) for image in sorted(set().union(*map(images, texts.values())))}
    except (NotFound, FileNotFoundError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    for path, text in texts.items():
        path.write_text(pin(text, digests))
    sys.stdout.write(
        "".join(f"{image}@{found}\n" for image, found in digests.items()) or "every image has its digest\n"
    )
    return 0


def _docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotFound(f"{arguments[-1]}: {done.stderr.strip()[-300:]}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
