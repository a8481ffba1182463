"""Everything that can go wrong, as one tree; each class is something that a caller can act upon.

::

    EdgeAiopsError                 internal
    +-- InvalidInput               invalid_input          the caller sent something wrong; `fields` says what
    |   +-- TooLarge               too_large              over a limit; the message names the limit's setting
    |   +-- InvalidModel           invalid_model          an artifact that its backend cannot serve
    +-- NotFound                   not_found
    |   +-- UnknownModel           unknown_model
    |   +-- UnknownEvent           unknown_event
    |   +-- UnknownNode            unknown_node
    +-- Conflict                   conflict               the state of things forbids it now
    +-- Unauthenticated            unauthenticated        who calls must first show who it is
    +-- Forbidden                  forbidden              this caller may never do that
    |   +-- NodeRevoked            node_revoked           the hub has shut this node out
    |   +-- NodeQuarantined        node_quarantined       two nodes act under one identity
    +-- Unavailable                unavailable            try again later; `retry_after_s` says when
    |   +-- BackendUnavailable     backend_unavailable    no plugin, or its framework is not installed
    |   +-- StorageFull            storage_full
    |   +-- Overloaded             overloaded             the queue is full, or would outlast the deadline
    |   +-- TooManyAttempts        too_many_attempts      this caller has failed to show who it is too often
    |   +-- CircuitOpen            circuit_open           the model failed repeatedly and rests
    +-- DeadlineExceeded           deadline_exceeded
    +-- ModelFailed                model_failed           the model raised while it predicted
    |   +-- ModelCrashed           model_crashed          its worker process died
    |   +-- ModelOutOfMemory       model_out_of_memory    its worker process hit its memory limit
    |   +-- ModelHung              model_hung             it did not stop when it was told to, and was killed
    +-- Untrusted                  untrusted              the hub offers what it did not sign, or what is out of date
    +-- SettingsError              invalid_settings
    +-- PluginError                plugin_failed
    +-- StoreError                 store_failed
        +-- StoreLocked            store_locked           another process owns the data folder
        +-- StoreCorrupt           store_corrupt

Codes are stable: clients and alert rules may depend on them. There is no HTTP in here; `edge_aiops.http`
translates.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple


class FieldError(NamedTuple):
    """One field to blame: its path as the caller wrote it, and what is wrong with its value."""

    field: str
    message: str


class EdgeAiopsError(Exception):
    """Base of every error that edge_aiops raises on purpose."""

    code: ClassVar[str] = "internal"

    def __init__(self, message: str, *, fields: tuple[FieldError, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields


class InvalidInput(EdgeAiopsError):
    """The caller sent something wrong; the message names the field, the value and the remedy."""

    code = "invalid_input"

    @classmethod
    def of(cls, field: str, message: str) -> InvalidInput:
        """An error that blames exactly one field."""
        return cls(f"{field}: {message}", fields=(FieldError(field, message),))

    def within(self, field: str) -> InvalidInput:
        """The same of a part of `field`."""
        fields = tuple(FieldError(f"{field}.{blamed}", message) for blamed, message in self.fields)
        said = "; ".join(f"{blamed}: {message}" for blamed, message in fields) or f"{field}: {self.message}"
        return InvalidInput(said, fields=fields)


class TooLarge(InvalidInput):
    """Over a limit."""

    code = "too_large"


class InvalidModel(InvalidInput):
    """An artifact or a configuration that its backend cannot serve."""

    code = "invalid_model"


class NotFound(EdgeAiopsError):
    """No such thing."""

    code = "not_found"


class UnknownModel(NotFound):
    """No such model or version here."""

    code = "unknown_model"


class UnknownEvent(NotFound):
    """No inference event with this id in the journal."""

    code = "unknown_event"


class UnknownNode(NotFound):
    """No node with this id has joined this hub."""

    code = "unknown_node"


class Conflict(EdgeAiopsError):
    """The present state of things forbids it."""

    code = "conflict"


class Forbidden(EdgeAiopsError):
    """This caller may never do that."""

    code = "forbidden"


class Unauthenticated(EdgeAiopsError):
    """Without a session, or with one that is over or that is no session of this hub."""

    code = "unauthenticated"


class NodeRevoked(Forbidden):
    """The hub has shut this node out; an operator must enrol it again."""

    code = "node_revoked"


class NodeQuarantined(Forbidden):
    """Two nodes act under one identity, such as clones of one disk; an operator must say which one it is."""

    code = "node_quarantined"


class Unavailable(EdgeAiopsError):
    """Cannot be done now; worth another try after `retry_after_s` seconds."""

    code = "unavailable"

    def __init__(self, message: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class BackendUnavailable(Unavailable):
    """No plugin serves this framework, or the framework that the plugin requires is missing."""

    code = "backend_unavailable"


class StorageFull(Unavailable):
    """The disk, or the database's page budget, is full."""

    code = "storage_full"


class Overloaded(Unavailable):
    """Too much waits already: the queue is full, or the answer would come after the deadline."""

    code = "overloaded"


class TooManyAttempts(Unavailable):
    """This caller has failed to show who it is too often, and must wait."""

    code = "too_many_attempts"


class CircuitOpen(Unavailable):
    """The model failed repeatedly and is not asked again for `retry_after_s` seconds."""

    code = "circuit_open"


class DeadlineExceeded(EdgeAiopsError):
    """The answer would come too late."""

    code = "deadline_exceeded"


class ModelFailed(EdgeAiopsError):
    """The model raised while it predicted; the cause is chained and logged."""

    code = "model_failed"


class ModelCrashed(ModelFailed):
    """The worker process of the model died while it worked."""

    code = "model_crashed"


class ModelOutOfMemory(ModelFailed):
    """The worker process of the model wanted more memory than it may have."""

    code = "model_out_of_memory"


class ModelHung(ModelFailed):
    """The model did not stop in time when it was told to; its worker process was killed."""

    code = "model_hung"


class Untrusted(EdgeAiopsError):
    """What came is not signed by whom this node trusts, or is older than what it knows; nothing of it was used.

    The message names the attack that it looks like, and what an operator should do.
    """

    code = "untrusted"


class SettingsError(EdgeAiopsError):
    """A setting is unknown or has a value that it cannot take."""

    code = "invalid_settings"


class PluginError(EdgeAiopsError):
    """A plugin broke its contract; the message names the plugin."""

    code = "plugin_failed"


class StoreError(EdgeAiopsError):
    """The local store could not do what was asked."""

    code = "store_failed"


class StoreLocked(StoreError):
    """Another process owns this data folder."""

    code = "store_locked"


class StoreCorrupt(StoreError):
    """A database file is damaged."""

    code = "store_corrupt"
