"""The plugin that edge_aiops itself is: its own drift tests, quality checks and notifiers."""
