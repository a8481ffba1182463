"""`edge-aiops hub`: a hub alone, of which several may share one database and one artifact store."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from edge_aiops.cli import garbage, hub_keys, hub_tokens
from edge_aiops.cli.command import Command, Group
from edge_aiops.cli.serve import add_address_options


def _arguments(parser: ArgumentParser) -> None:
    add_address_options(parser)
    parser.add_argument(
        "--database", metavar="URL", help="PostgreSQL (setting hub.database, default SQLite in the data folder)"
    )
    parser.add_argument(
        "--artifacts", metavar="URL", help="object store (setting hub.artifacts, default a folder in the data folder)"
    )
    parser.add_argument("--upstream", metavar="URL", help="a hub above this one (setting hub.upstream, default none)")
    parser.add_argument(
        "--upstream-join", metavar="TOKEN", help="a join token of that hub, needed once (setting hub.upstream_join)"
    )


def _run(arguments: Namespace) -> None:
    garbage.collect_seldom()
    import asyncio

    from edge_aiops.base.urls import without_password
    from edge_aiops.cli.effective import effective_settings
    from edge_aiops.cli.logs import configure_logs
    from edge_aiops.http.serve import serve_until_stopped, serving_hub

    settings = effective_settings(
        arguments,
        http_host=arguments.host,
        http_port=arguments.port,
        hub_database=arguments.database,
        hub_artifacts=arguments.artifacts,
        hub_upstream=arguments.upstream,
        hub_upstream_join=arguments.upstream_join,
    ).settings
    configure_logs(settings.log.level)

    def ready(url: str) -> None:
        folder = settings.data_folder / "hub"
        database = without_password(settings.hub.database) or folder
        artifacts = without_password(settings.hub.artifacts) or folder
        print(f"edge_aiops hub on {url}, database {database}, artifacts {artifacts}; {url}/docs tells what it answers")
        sys.stdout.flush()
        garbage.keep_what_is_there()

    asyncio.run(serve_until_stopped(serving_hub(settings), ready=ready))


GROUP = Group(
    name="hub",
    summary="Keep the models of a fleet, and what its nodes tell",
    default=Command(
        name="hub",
        summary="Keep the models of a fleet, and what its nodes tell, until Ctrl-C or SIGTERM",
        description=(
            "Nodes on other machines follow it. Without --database and --artifacts all is in the data folder, and one\n"
            "hub runs on it. With both, any number of hubs may run on the same two, behind one address. A password is\n"
            "better kept in EDGE_AIOPS_HUB__DATABASE than on the command line, where others can see it."
        ),
        examples=(
            "edge-aiops hub --data ./hub",
            "edge-aiops hub --host 0.0.0.0 --database postgresql://edge@db.example/edge --artifacts s3://models/edge",
        ),
        arguments=_arguments,
        run=_run,
    ),
    commands=(hub_tokens.GROUP, hub_keys.KEYS, hub_keys.RECOVER),
)
