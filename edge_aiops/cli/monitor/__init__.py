"""`edge-aiops monitor`: how models do, as they do it."""
