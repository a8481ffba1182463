"""`edge-aiops hub keys` and `hub recover`: what an operator does with the keys by which nodes know their hub."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edge_aiops.cli.command import Command, Group

if TYPE_CHECKING:
    from edge_aiops.store.shared.database import Database


def _database_option(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--database", metavar="URL", help="PostgreSQL (setting hub.database, default SQLite in the data folder)"
    )


def _show(arguments: Namespace) -> None:
    import asyncio

    from edge_aiops.cli.output import local_time, print_facts, print_json
    from edge_aiops.fleet.hub.signing import pin_of
    from edge_aiops.fleet.hub.signing_rotation import Keys, trusted_keys

    async def read() -> Keys:
        async with _database(arguments) as database:
            return await trusted_keys(database)

    keys = asyncio.run(read())
    pin, (online_key,) = pin_of(keys.root.body), keys.key_ids["timestamp"]
    if arguments.json:
        print_json(
            {
                "rootVersion": keys.root.version,
                "pin": pin,
                "rootExpires": keys.root.expires_at,
                "rootKeys": keys.key_ids["root"],
                "rootThreshold": keys.root_threshold,
                "onlineKey": online_key,
                "onlineSince": keys.online_since_ms,
                "signedLast": keys.timestamp.signed_at if keys.timestamp else None,
            }
        )
        return
    print_facts(
        [
            ("root", f"version {keys.root.version}, good until {local_time(keys.root.expires_at)}, pin {pin}"),
            ("root keys", f"{keys.root_threshold} of {', '.join(keys.key_ids['root'])}"),
            ("online key", f"{online_key}, since {local_time(keys.online_since_ms)}"),
            ("signed last", local_time(keys.timestamp.signed_at) if keys.timestamp else "nothing yet"),
        ]
    )


def _rotation_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--root-key", required=True, action="append", type=Path, metavar="FILE",
        help="a root key in force; again for each that must sign",
    )  # fmt: skip
    parser.add_argument(
        "--new-root-key", default=[], action="append", type=Path, metavar="FILE",
        help="a root key from now on, made if it is not there; again for each. Without it the root keys stay",
    )  # fmt: skip
    parser.add_argument(
        "--threshold", type=int, default=1, metavar="N", help="how many of the new root keys must sign (default 1)"
    )
    _database_option(parser)


def _rotate(arguments: Namespace) -> None:
    import asyncio

    from edge_aiops.base.clock import SystemClock
    from edge_aiops.base.errors import InvalidInput
    from edge_aiops.fleet.hub.signing_keys import new_key, read_key, write_key
    from edge_aiops.fleet.hub.signing_rotation import rotate

    if not 1 <= arguments.threshold <= max(1, len(arguments.new_root_key)):
        raise InvalidInput.of("--threshold", f"{arguments.threshold} of {len(arguments.new_root_key)} keys cannot sign")

    async def run() -> int:
        root_keys = [read_key(file) for file in arguments.root_key]
        async with _database(arguments) as database:
            for file in arguments.new_root_key:
                if not file.exists():
                    write_key(file, new_key())
            return await rotate(
                database,
                root_keys=root_keys,
                new_root_keys=[read_key(file) for file in arguments.new_root_key],
                threshold=arguments.threshold,
                now_ms=SystemClock().now_ms(),
            )

    version = asyncio.run(run())
    print(f"root version {version}, with a new online key; nodes take it at their next exchange with the hub")
    if arguments.new_root_key:
        print("keep the new root keys offline; the old ones sign nothing any more")


def _recover(arguments: Namespace) -> None:
    import asyncio

    from edge_aiops.base.clock import SystemClock
    from edge_aiops.fleet.hub.signing_rotation import recover

    async def run() -> int:
        async with _database(arguments) as database:
            return await recover(database, now_ms=SystemClock().now_ms())

    print(f"generation {asyncio.run(run())}: nodes that knew more than the backup follow this hub again")


@asynccontextmanager
async def _database(arguments: Namespace) -> AsyncIterator[Database]:
    from edge_aiops.base.errors import InvalidInput
    from edge_aiops.cli.effective import effective_settings
    from edge_aiops.hub.backup import DATABASE
    from edge_aiops.store.shared.database import Database

    settings = effective_settings(arguments, hub_database=arguments.database).settings
    file = settings.data_folder / "hub" / DATABASE
    if not settings.hub.database and not file.exists():
        raise InvalidInput(f"there is no hub's database {file}; name its data folder with --data, or give --database")
    async with Database.open(settings.hub.database or file) as database:
        yield database


_OFFLINE = "Works on the hub's database. A hub on SQLite must be stopped meanwhile; hubs on PostgreSQL run on."

KEYS = Group(
    name="keys",
    summary="Show and rotate the keys by which nodes know their hub",
    commands=(
        Command(
            name="show",
            summary="Show which keys nodes trust, and until when",
            description=_OFFLINE,
            examples=("edge-aiops hub keys show --data ./hub",),
            arguments=_database_option,
            run=_show,
            json=True,
        ),
        Command(
            name="rotate",
            summary="Make a new online key, and new root keys where they are given",
            description=(
                "The root key signs that nodes trust the new keys instead of the old ones; so it is what helps when\n"
                "somebody has taken a key or the whole hub. Make a backup afterwards.\n"
                f"{_OFFLINE}"
            ),
            examples=(
                "edge-aiops hub keys rotate --data ./hub --root-key /media/usb/root.key",
                "edge-aiops hub keys rotate --data ./hub --root-key old.key --new-root-key new.key",
            ),
            arguments=_rotation_arguments,
            run=_rotate,
        ),
    ),
)

RECOVER = Command(
    name="recover",
    summary="Let nodes follow a hub again that was restored from a backup",
    description=(
        "Nodes refuse a state older than the one they know, and so they refuse a hub that was restored from a\n"
        "backup. This takes the catalogue's generation beyond all that it has ever been; nothing else changes.\n"
        f"{_OFFLINE}"
    ),
    examples=("edge-aiops hub recover --data ./hub",),
    arguments=_database_option,
    run=_recover,
)
