"""The objective of a language call: corpus, tokenizer, tokens, network."""

import hashlib
from pathlib import Path
from typing import Any

from regraft.core import OptionError
from regraft.pretraining.call import Call
from regraft.pretraining.corpus import Blocks, Corpus, open_corpus, token_stream
from regraft.pretraining.language import LanguageObjective
from regraft.pretraining.language_start import fresh_language, language_folder, started_language
from regraft.pretraining.pictures import Progress
from regraft.pretraining.recipes import Causal, Masked
from regraft.pretraining.tokenizing import read_tokenizer, trained_byte_pairs, trained_word_pieces

TOKENIZER_FOLDER = "tokenizer"
SPECIAL_AROUND = 2  # of a masked block: one token before it, one after


def language_objective(
    call: Call, folder: Path, *, offline: bool, progress: Progress | None
) -> tuple[LanguageObjective, Corpus, str]:
    """The objective, its corpus, and what its data are known by.

    Args:
        call: Of `mlm` or `clm`.
        folder: Of the run: a trained tokenizer is kept there, so that a resumed run has the same.
        offline: Open no connection.
        progress: Called with (what, done, total).

    Raises:
        InputError: Recipe, tokenizer, network and objective do not go together.
    """
    recipe, wanted = call.recipe, Masked if call.objective == "mlm" else Causal
    if not isinstance(recipe, (Masked, Causal)) or not isinstance(recipe, wanted):
        raise OptionError(f"--recipe: not one for {call.objective}")
    corpus = open_corpus(Path(call.data), Path(call.held_out) if call.held_out else None)
    tokenizer = _tokenizer(call, corpus, recipe, folder, offline=offline)
    model = _model(call, tokenizer, recipe.length, offline=offline)
    if len(tokenizer) > model.config.vocab_size:
        raise OptionError(
            f"--tokenizer {call.tokenizer}: makes {len(tokenizer)} tokens, the network knows {model.config.vocab_size}"
        )
    separator = tokenizer.eos_token_id if call.objective == "clm" else tokenizer.sep_token_id
    length = recipe.length if call.objective == "clm" else recipe.length - SPECIAL_AROUND
    if separator is None or (call.objective == "mlm" and tokenizer.mask_token_id is None):
        raise OptionError(f"--tokenizer: it has no token for {call.objective}; use --tokenizer train")
    train, aside = (
        Blocks(token_stream(documents, tokenizer, int(separator), progress), length)
        for documents in (corpus.train, corpus.held_out)
    )
    if not len(train):
        raise OptionError(f"{call.data}: fewer than {length} tokens; give more text")
    known = f"{corpus.fingerprint}/{tokenizer.backend_tokenizer.to_str()}"
    fingerprint = hashlib.sha256(known.encode()).hexdigest()
    return LanguageObjective(model, tokenizer, train, aside, recipe), corpus, fingerprint


def _tokenizer(call: Call, corpus: Corpus, recipe: Masked | Causal, folder: Path, *, offline: bool) -> Any:
    """The start's own, another backbone's, or one trained on the corpus."""
    named = call.tokenizer or call.source or "train"
    if named != "train":
        return read_tokenizer(language_folder(named, offline=offline))
    kept = folder / TOKENIZER_FOLDER
    if not kept.exists():
        train = trained_word_pieces if call.objective == "mlm" else trained_byte_pairs
        draft = folder / f"{TOKENIZER_FOLDER}.draft"
        train(corpus.train, recipe.vocabulary).save_pretrained(draft)
        draft.replace(kept)
    return read_tokenizer(kept)


def _model(call: Call, tokenizer: Any, length: int, *, offline: bool) -> Any:
    objective: Any = call.objective
    if not call.source:
        return fresh_language(call.architecture, objective, tokenizer, length, call.seed)
    model = started_language(language_folder(call.source, offline=offline), objective)
    positions = getattr(model.config, "max_position_embeddings", length)
    if positions < length:
        raise OptionError(f"--from {call.source}: reads {positions} tokens, the recipe's blocks have {length}")
    return model
