"""The built-in notifiers, as the plugin of edge_aiops registers them."""

from __future__ import annotations

from edge_aiops.plugin.specs import NotifierSpec

NOTIFIERS: tuple[NotifierSpec, ...] = (
    NotifierSpec(
        name="log",
        factory="edge_aiops.observe.alerts.log:LogNotifier",
        description="one line in the log of the node",
    ),
    NotifierSpec(
        name="webhook",
        factory="edge_aiops.observe.alerts.webhook:WebhookNotifier",
        description="signed POST to an address, after Standard Webhooks",
        secrets=("secret",),
    ),
)
