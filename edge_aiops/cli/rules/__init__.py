"""`edge-aiops rules`: when alerts fire, and who hears of them."""
