"""Where things are kept: `local` is a node's SQLite, `shared` the hub's database and artifacts."""
