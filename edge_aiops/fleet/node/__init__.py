"""The node's side: identity, outbox and push, desired state, artifacts and their activation."""
