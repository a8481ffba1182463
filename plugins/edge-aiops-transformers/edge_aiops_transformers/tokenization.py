"""From texts to tokens."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from tokenizers import Encoding, Tokenizer

from edge_aiops.plugin import BackendUnavailable, InvalidInput, InvalidModel, ModelFolder
from edge_aiops_transformers.description import Description, listed

_OF_TOKENIZERS = frozenset({".json", ".txt", ".model", ".tiktoken", ".spm"})
_REMEDY = "save it as tokenizer.json: AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER)"

Text = str | tuple[str, str]


class Texts:
    """Turns texts into tokens, none longer than the model takes; without padding, which batches add."""

    def __init__(self, tokenizer: Tokenizer, max_length: int | None, pad_id: int) -> None:
        self.pad_id = pad_id
        self.tokenizer = tokenizer
        # Files may have both switched on, for some other length.
        tokenizer.no_padding()
        tokenizer.no_truncation()
        if max_length is not None:
            # Of a pair the first is cut: the second is ours.
            tokenizer.enable_truncation(max_length, strategy="only_first")

    def encoded(self, texts: Sequence[Text]) -> list[Encoding]:
        """The tokens of each text, or pair of texts."""
        try:
            return self.tokenizer.encode_batch(list(texts))
        except Exception as error:
            # The library raises Exception itself, for a pair whose second text alone is too long.
            raise InvalidInput.of("text", f"it cannot be cut into tokens: {error}") from error


def texts_of(folder: ModelFolder, description: Description, max_length: int | None) -> Texts:
    """The tokenizer of a folder. Raises `InvalidModel` for one that is missing or damaged."""
    tokenizer = _tokenizer(folder)
    length = _length(description, max_length)
    special = tokenizer.num_special_tokens_to_add(False)
    if length is not None and length <= special:
        raise InvalidModel.of("options.maxLength", f"{length} tokens leave no room beside {special} special tokens")
    return Texts(tokenizer, length, _pad_id(tokenizer, description))


def _length(description: Description, wanted: int | None) -> int | None:
    positions = description.config.positions
    if wanted is not None:
        if positions is not None and wanted > positions:
            raise InvalidModel.of("options.maxLength", f"the model has {positions} positions, so {wanted} is too long")
        return wanted
    return min(filter(None, (description.model_max_length, positions)), default=None)


def _pad_id(tokenizer: Tokenizer, description: Description) -> int:
    padding = tokenizer.padding
    if padding:
        return int(padding["pad_id"])
    return description.config.pad_token_id or 0


def _tokenizer(folder: ModelFolder) -> Tokenizer:
    if "tokenizer.json" not in folder:
        return _converted(folder)
    try:
        return Tokenizer.from_buffer(folder.read("tokenizer.json"))
    except InvalidModel:
        raise
    except Exception as error:
        # The library raises ValueError or Exception itself.
        raise InvalidModel(f"tokenizer.json cannot be read: {error}") from error


def _converted(folder: ModelFolder) -> Tokenizer:
    """The tokenizer of an older folder, which the package transformers knows to convert."""
    files = [name for name in folder.names if PurePosixPath(name).suffix in _OF_TOKENIZERS and "/" not in name]
    if files == ["config.json"] or not files:
        raise InvalidModel(f"the model has no tokenizer.json; it has: {listed(folder.names)}")
    for name in files:
        if name.endswith("config.json") and b'"auto_map"' in folder.read(name):
            raise InvalidModel(f"{name} asks for code of its own (auto_map), which is never run; {_REMEDY}")
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise BackendUnavailable(
            "the model has no tokenizer.json, and converting its vocabulary needs the package transformers: "
            f"pip install 'edge-aiops-transformers[transformers]'; or {_REMEDY}"
        ) from error
    with tempfile.TemporaryDirectory(prefix="edge_aiops-tokenizer-") as place:
        for name in files:
            (Path(place) / name).write_bytes(folder.read(name))
        try:
            tokenizer = AutoTokenizer.from_pretrained(place, local_files_only=True, trust_remote_code=False)
        except Exception as error:
            # Whatever its many tokenizers raise for what they cannot read.
            reason = " ".join(str(error).replace(place, "the model").split())[:400]
            raise InvalidModel(f"transformers cannot read the tokenizer: {reason}; {_REMEDY}") from error
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if not isinstance(backend, Tokenizer):
        raise InvalidModel(f"its tokenizer, {type(tokenizer).__name__}, has no form that tokenizers can run")
    return backend
