"""Peers that serve models: each a program for the peer's own Python, `-m benchmarks.peers.serving.PEER MODEL PORT`."""
