"""`edge-aiops demo`: the main job on real data, told as a story."""
