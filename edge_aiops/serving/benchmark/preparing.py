"""All that is settled before the first round: who takes part, what they are asked, and which tensor is which."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from edge_aiops.base.errors import EdgeAiopsError, ModelFailed
from edge_aiops.plugin import Tensors, TensorSpec
from edge_aiops.serving.benchmark.agreement import Agreement
from edge_aiops.serving.benchmark.choosing import chosen
from edge_aiops.serving.benchmark.inputs import generated_inputs, given_inputs
from edge_aiops.serving.benchmark.measuring import Participant
from edge_aiops.serving.benchmark.messages import BenchmarkRequest
from edge_aiops.serving.benchmark.pairing import check_fit, paired_inputs, renamed
from edge_aiops.serving.deployment import Deployment
from edge_aiops.serving.engine import Engine

_NOTHING = (b"null", b'""')


class Preparation(NamedTuple):
    """What a benchmark runs on. The first participant is the reference."""

    participants: list[Participant]
    inputs: list[Tensors]
    """By the names of the reference."""
    generated: bool
    loaded_for_it: list[Deployment]
    """What was not in memory before."""

    @classmethod
    async def of(cls, request: BenchmarkRequest, engine: Engine) -> Preparation:
        """Load the models and settle the inputs.

        The reference is the most wanted model that loads. Raises what `chosen` says, `InvalidInput` for models that do
        not take the same inputs or for test data that do not fit, and what the first load raised if none succeeds.
        """
        deployments = chosen(
            engine.deployments,
            task_type=request.task_type,
            equivalence_group=request.equivalence_group,
            only=request.models,
        )
        before = {(one.model_name, one.model_version) for one in engine.loaded()}
        new = [one for one in deployments if (one.name, one.version) not in before]
        try:
            participants = await _loaded(deployments, engine)
            return await asyncio.to_thread(_settled, request, participants, new)
        except BaseException:
            _unload(new, engine)
            raise

    def restore(self, engine: Engine) -> None:
        """Give the memory back that was taken for the benchmark."""
        _unload(self.loaded_for_it, engine)


async def _loaded(deployments: Sequence[Deployment], engine: Engine) -> list[Participant]:
    participants = []
    failure: EdgeAiopsError | None = None
    for one in deployments:
        try:
            loaded = await engine.load(one.name, one.version)
            signature = await engine.signature(one.name, one.version)
        except Exception as error:
            # The boundary between us and a backend, which may raise anything.
            known = error if isinstance(error, EdgeAiopsError) else ModelFailed(f"{type(error).__name__}: {error}")
            failure = failure or known
            participants.append(Participant(one, None, problem=known.message))
        else:
            participants.append(Participant(one, signature, load_ms=loaded.load_ms, memory_bytes=loaded.memory_bytes))
    if failure and all(one.signature is None for one in participants):
        raise failure
    return sorted(participants, key=lambda one: one.signature is None)


def _settled(request: BenchmarkRequest, participants: list[Participant], new: list[Deployment]) -> Preparation:
    reference = participants[0]
    signatures = {one.label: (one.label, one.signature) for one in participants if one.signature is not None}
    of_reference = signatures[reference.label]
    for one in participants:
        if (of_other := signatures.get(one.label)) is not None:
            one.names = paired_inputs(of_reference, of_other)
            if one is not reference:
                one.agreement = Agreement(task_type=request.task_type)
    data = bytes(request.test_data)
    generated = data in _NOTHING
    if generated:
        inputs = generated_inputs(_counterparts(participants), request.seed)
    else:
        inputs = given_inputs(data, of_reference[1], [one.deployment for one in participants])
    _check(participants, inputs, generated=generated)
    return Preparation(participants, inputs, generated, new)


def _counterparts(participants: Sequence[Participant]) -> list[list[TensorSpec]]:
    signatures = [(one.names, one.signature) for one in participants if one.signature is not None]
    specs = [(names, {spec.name: spec for spec in signature.inputs}) for names, signature in signatures]
    return [[own[names[spec.name]] for names, own in specs] for spec in signatures[0][1].inputs]


def _check(participants: Sequence[Participant], inputs: Sequence[Tensors], *, generated: bool) -> None:
    for one in participants:
        if one.signature is None:
            continue
        for place, tensors in enumerate(inputs):
            field = "models" if generated else f"testData[{place}]"
            check_fit(one.label, renamed(tensors, one.names, one.signature), one.signature, field)


def _unload(deployments: Sequence[Deployment], engine: Engine) -> None:
    served = {(one.name, one.version) for one in engine.deployments}
    for one in deployments:
        if (one.name, one.version) in served and not one.pinned:
            engine.unload(one.name, one.version)
