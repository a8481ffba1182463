"""How nodes and hub agree: what they say to each other, and what each side does about it."""
