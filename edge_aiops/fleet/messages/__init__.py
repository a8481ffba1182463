"""What nodes and hub say to each other; the wire protocol of docs/fleet/protocol.md."""
