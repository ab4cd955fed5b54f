"""`medfab demo`: a consented, audited record read on a network of its own."""

from __future__ import annotations

from pathlib import Path

import click

from medfab_gateway.cli import DIR, Output, pass_output, setting_option


@click.command()
@click.option(
    "--bundle",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    envvar="BUNDLE",
    help="FHIR R4 patient bundle; default: a small synthetic one.",
)
@click.option("--keep", is_flag=True, envvar="KEEP", help="Leave the network up afterwards.")
@click.option(
    "--plant-leak",
    is_flag=True,
    help="Write a name of the patient into a block first: the search must find it, and fail.",
)
@click.option(
    "--docker", is_flag=True, envvar="DOCKER", help="Run the network in containers, not processes."
)
@setting_option(
    DIR,
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the network's state.",
)
@click.option(
    "--topology",
    "topology_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    envvar="MEDFAB_TOPOLOGY",
    help="Topology with the organisations hospital, clinic and regulator; default: all seven.",
)
@pass_output
def demo(
    bundle: Path | None,
    keep: bool,
    plant_leak: bool,
    docker: bool,
    directory: Path,
    topology_file: Path | None,
    output: Output,
) -> None:
    """Start a consortium and tell the story of one record.

    Filed, asked for, denied, consented, read, revoked, audited; then every
    block of the channel is searched for the patient's data. Second act: a lot
    of medicine from the factory to a patient, counterfeits, a cold chain that
    breaks, and a recall. Takes everything down at the end. With --json, a
    summary for programs in place of the stories.

    \b
    Examples:
      medfab demo
      medfab demo --bundle patient.json
      medfab demo --keep
      medfab demo --docker
      medfab demo --plant-leak
    """
    from medfab_network.demo import Demo, Narrator
    from medfab_network.topology import default_in_containers, load_topology

    topology = load_topology(topology_file)
    if docker:
        topology = topology.with_containers() if topology_file else default_in_containers()
    story = Demo(
        directory,
        topology=topology,
        bundle=bundle,
        keep=keep,
        plant_leak=plant_leak,
        narrator=Narrator(silent=output.as_json),
    )
    try:
        story.run()
    finally:
        if output.as_json and story.report is not None:
            output.json(story.report.as_document())
