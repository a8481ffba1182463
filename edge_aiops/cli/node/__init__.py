"""`edge-aiops node`: a node alone, and what a hub knows of its nodes."""
