"""The hub's side: enrolment, ingest and roll-up of what nodes push, desired state, the fleet view."""
