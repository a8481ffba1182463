"""`python -m edge_aiops` is the command `edge-aiops`."""

import sys

from edge_aiops.cli.main import main

sys.exit(main())
