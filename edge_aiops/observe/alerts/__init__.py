"""Rules that watch metrics, the alerts that they raise, and the notifiers that tell people and programs."""
