"""What others compute: each peer in an environment of its own under .bench/, timed beside ours in the same run."""
