"""What a network directory in containers needs before its first container."""

from __future__ import annotations

import asyncio
import json

import yaml

from medfab_network._binaries import Binaries
from medfab_network._container_program import container_program, install
from medfab_network._containers import Containers, compose_environment
from medfab_network._files import write_atomically
from medfab_network._images import ensure_images
from medfab_network._layout import Layout
from medfab_network._profile_services import profile_services, profile_volumes
from medfab_network._progress import Progress
from medfab_network._services import compose_document
from medfab_network.topology import Topology

COMPOSE_HEADER = """\
# One container for each node; made by `medfab network compose` from the topology, for Compose 1.29
# and Compose 2. `medfab network up --docker` starts the same, enrols everyone, creates the channels
# and deploys; after that this file starts and stops it as well:
#
#   docker-compose --env-file .medfab/.env -f docker-compose.yaml up -d
#
# Variables: MEDFAB_DIR, the network directory; MEDFAB_USER, the uid:gid that may read its files;
# MEDFAB_{CA,PEER,ORDERER,CHAINCODE}_IMAGE, images from elsewhere (hyperledger/fabric-peer:3.1.1);
# MEDFAB_{PROMETHEUS,GRAFANA,POSTGRES,CONSUMER}_{IMAGE,PORT}, of the profiles observability and
# consumer (docs/docker.md).
"""


async def prepare(
    containers: Containers,
    topology: Topology,
    layout: Layout,
    binaries: Binaries,
    progress: Progress,
) -> None:
    """Images, the containers' helper, and the compose file. Raises `NetworkError`."""
    client = await asyncio.to_thread(lambda: containers.client)
    program = await container_program(progress)
    images = {
        made.name: made.identifier for made in await ensure_images(client, binaries, progress)
    }
    install(program, layout)
    write_atomically(layout.compose, compose_text(topology))
    write_atomically(layout.compose_env, compose_environment(layout.root, containers.project))
    write_atomically(layout.images, json.dumps(images, indent=2) + "\n")


def compose_text(topology: Topology) -> str:
    """The compose file of a topology in containers."""
    document = compose_document(topology)
    document["services"] |= profile_services(topology)
    document["volumes"] |= profile_volumes()
    return COMPOSE_HEADER + yaml.safe_dump(document, sort_keys=False, width=100)
