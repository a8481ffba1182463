"""How nodes and hub agree: wire messages, desired state, synchronisation."""
