"""Who answers: routing, models in memory, batching, and the one engine that every prediction takes."""
