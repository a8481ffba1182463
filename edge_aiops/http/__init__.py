"""The HTTP face: typed requests in, typed answers or problem+json out. Translation only, no decisions."""
