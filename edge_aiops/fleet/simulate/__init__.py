"""Synthetic nodes, thousands in one process, that join and push by the real protocol; to size a hub."""
