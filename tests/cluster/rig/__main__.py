"""The rig on the command line."""

from __future__ import annotations

import argparse

from tests.cluster.rig import fakes, life, webhooks
from tests.cluster.rig.build import build
from tests.cluster.rig.place import BIN, IMAGES, KUBECONFIG, say
from tests.cluster.rig.products import product_images


def main() -> None:
    """Do as told."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.rig", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("build", help="compile the cluster's programs")
    up = verbs.add_parser("up", help="build and start what is missing; return when the node takes pods")
    up.add_argument("--webhooks", action="store_true", help="with Volcano's admission webhooks")
    verbs.add_parser("images", help="bring the platform's images on the node up to date")
    verbs.add_parser("down", help="stop it").add_argument("--wipe", action="store_true", help="images and keys, too")
    for name, what in (("gpus", "let the node offer N accelerators"), ("fake", "add N nodes that kwok plays")):
        verbs.add_parser(name, help=what).add_argument("count", type=int)
    verbs.add_parser("webhooks", help="Volcano's webhooks: on or off").add_argument("state", choices=("on", "off"))
    asked = parser.parse_args()
    life.check()
    match asked.verb:
        case "build":
            build()
        case "up":
            build()
            life.up(webhooks=asked.webhooks)
            product_images()
            say(f"the node has the images {' and '.join(IMAGES.values())}; for kubectl and helm:")
            print(f"export KUBECONFIG={KUBECONFIG} PATH={BIN}:$PATH")
        case "images":
            product_images()
        case "down":
            life.down(wipe=asked.wipe)
        case "gpus":
            fakes.gpus(asked.count)
        case "fake":
            fakes.fake_nodes(asked.count)
        case _:
            webhooks.start_webhooks() if asked.state == "on" else webhooks.stop_webhooks()


if __name__ == "__main__":
    main()
