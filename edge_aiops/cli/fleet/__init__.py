"""`edge-aiops fleet`: what a hub knows of its nodes, and wants of them."""
