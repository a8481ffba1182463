"""The hub's database and artifact store; needs `edge-aiops[hub]`."""
