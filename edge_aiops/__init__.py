"""MLOps for edge devices: a light node that serves models, and the hub that leads a fleet of them."""

__version__ = "0.1.0"
