"""The command line: thin; the same services, or the HTTP API of a running server."""
