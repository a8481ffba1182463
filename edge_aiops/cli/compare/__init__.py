"""`edge-aiops stats compare`: how two data files differ, in the terminal, as JSON and as a page."""
