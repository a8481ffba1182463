"""The role that decides: registry and fleet view."""
