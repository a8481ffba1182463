"""What the JSON files of a Hugging Face folder say about its model."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from edge_aiops.plugin import InvalidModel, ModelFolder
from edge_aiops_transformers.options import Pooling, TaskName

_LONGEST_MEANT = 1_000_000
"""Tokenizers without a limit of their own say 10^30."""

_COUNTED_FROM_PADDING = frozenset({"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "mpnet", "data2vec-text"})
"""Models whose positions begin after the padding token's id, so that some of them are never used."""

_POOLINGS: dict[str, Pooling] = {
    "mean_tokens": "mean",
    "mean": "mean",
    "cls_token": "cls",
    "cls": "cls",
    "max_tokens": "max",
    "max": "max",
    "lasttoken": "last",
}
"""By the names in `1_Pooling/config.json`, of older and newer versions."""

_POOLING_PREFIX = "pooling_mode_"
_ARCHITECTURES: tuple[tuple[str, TaskName], ...] = (
    ("ForSequenceClassification", "text-classification"),
    ("ForTokenClassification", "token-classification"),
    ("Model", "embedding"),
)
_DOES_NOTHING_TO_EMBEDDINGS = ("Transformer", "Pooling", "Normalize")

Content = TypeVar("Content")


class Config(Struct, frozen=True):
    """`config.json`."""

    architectures: tuple[str, ...] | None = None
    model_type: str = ""
    id2label: dict[str, str] | None = None
    label2id: dict[str, int] | None = None
    problem_type: str | None = None
    pad_token_id: int | None = None
    max_position_embeddings: int | None = None

    @property
    def positions(self) -> int | None:
        """How many tokens of a text the model has positions for, if that is limited."""
        if self.max_position_embeddings is None or self.max_position_embeddings <= 0:
            return None
        unused = (self.pad_token_id or 0) + 1 if self.model_type in _COUNTED_FROM_PADDING else 0
        return self.max_position_embeddings - unused

    def labels(self, count: int) -> tuple[str, ...]:
        """The names of `count` classes. Raises `InvalidModel` if `id2label` names another number."""
        if self.id2label is None:
            return tuple(f"LABEL_{place}" for place in range(count))
        places = [str(place) for place in range(count)]
        if sorted(self.id2label) != sorted(places):
            raise InvalidModel(
                f"the model gives {count} scores, but id2label of config.json names {len(self.id2label)}: "
                f"{', '.join(list(self.id2label)[:20])}"
            )
        return tuple(self.id2label[place] for place in places)


class Description(Struct, frozen=True):
    """What the folder says, apart from weights and vocabulary."""

    config: Config
    model_max_length: int | None
    """Tokens of a text at the most, from `sentence_bert_config.json`, else `tokenizer_config.json`."""
    pooling: dict[str, Any] | None
    """`1_Pooling/config.json`."""
    modules: tuple[str, ...] | None
    """The kinds of modules in `modules.json`."""

    @property
    def task(self) -> TaskName:
        """What the model is for. Raises `InvalidModel` where the folder does not say."""
        if self.modules is not None or self.pooling is not None:
            return "embedding"
        architectures = self.config.architectures or ()
        for ending, task in _ARCHITECTURES:
            if architectures and architectures[0].endswith(ending):
                return task
        said = f"says {architectures[0]}" if architectures else "names no architecture"
        raise InvalidModel.of("options.task", f"config.json {said}, which no task is known for; say the task")

    @property
    def pooling_mode(self) -> Pooling:
        """How token embeddings become one. Raises `InvalidModel` for a way that is not served."""
        said = self.pooling or {}
        modes = (
            [said["pooling_mode"]]
            if "pooling_mode" in said
            else [
                name.removeprefix(_POOLING_PREFIX)
                for name, value in said.items()
                if name.startswith(_POOLING_PREFIX) and value is True
            ]
        )
        if not modes:
            return "mean"
        if len(modes) == 1 and modes[0] in _POOLINGS:
            return _POOLINGS[modes[0]]
        raise InvalidModel.of(
            "options.pooling",
            f"1_Pooling/config.json asks for {' and '.join(map(str, modes))}; choose mean, cls, max or last",
        )

    @property
    def normalize(self) -> bool:
        """Whether embeddings have length 1."""
        return self.modules is None or "Normalize" in self.modules

    @property
    def other_modules(self) -> list[str]:
        """Modules of `modules.json` that change embeddings in ways of their own."""
        return [module for module in self.modules or () if module not in _DOES_NOTHING_TO_EMBEDDINGS]


class _Module(Struct, frozen=True):
    type: str


class _SentenceConfig(Struct, frozen=True):
    max_seq_length: int | None = None


class _TokenizerConfig(Struct, frozen=True):
    model_max_length: float | None = None


def described(folder: ModelFolder) -> Description:
    """What the folder says about its model. Raises `InvalidModel` that names the file and the field at fault."""
    config = _content(folder, "config.json", Config)
    if config is None:
        raise InvalidModel(
            f"this is no folder of a Hugging Face model: it has no config.json; it has: {listed(folder.names)}"
        )
    sentences = _content(folder, "sentence_bert_config.json", _SentenceConfig)
    tokenizer = _content(folder, "tokenizer_config.json", _TokenizerConfig)
    modules = _content(folder, "modules.json", tuple[_Module, ...])
    limit = (sentences and sentences.max_seq_length) or (tokenizer and tokenizer.model_max_length)
    return Description(
        config=config,
        model_max_length=int(limit) if limit and 0 < limit < _LONGEST_MEANT else None,
        pooling=_content(folder, "1_Pooling/config.json", dict[str, Any]),
        modules=None if modules is None else tuple(module.type.rpartition(".")[2] for module in modules),
    )


def listed(names: list[str], most: int = 20) -> str:
    """Names in a sentence."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "nothing") + more


def _content(folder: ModelFolder, name: str, kind: type[Content]) -> Content | None:
    if name not in folder:
        return None
    try:
        return msgspec.json.decode(folder.read(name), type=kind, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidModel(f"{name}: {error}") from error
