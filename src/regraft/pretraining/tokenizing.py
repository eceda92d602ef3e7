"""The tokenizer of a new language model: trained on the corpus, in the form of its family."""

from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from regraft.core import BackboneError

WORD_PIECE = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}
END_OF_TEXT = "<|endoftext|>"


def trained_word_pieces(documents: tuple[str, ...], vocabulary: int) -> Any:
    """A lower-casing WordPiece tokenizer (Devlin 2019, BERT, section 3) of at most `vocabulary` tokens."""
    tokenizer = Tokenizer(models.WordPiece(unk_token=WORD_PIECE["unk_token"]))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary, special_tokens=list(WORD_PIECE.values()), show_progress=False
    )
    tokenizer.train_from_iterator(documents, trainer)
    first, last = WORD_PIECE["cls_token"], WORD_PIECE["sep_token"]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {last} $B:1 {last}:1",
        special_tokens=[(one, tokenizer.token_to_id(one)) for one in (first, last)],
    )
    tokenizer.decoder = decoders.WordPiece()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **WORD_PIECE)


def trained_byte_pairs(documents: tuple[str, ...], vocabulary: int) -> Any:
    """A byte-level BPE tokenizer (Radford 2019, GPT-2, section 2.2) of at most `vocabulary` tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(documents, trainer)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=END_OF_TEXT, eos_token=END_OF_TEXT, unk_token=END_OF_TEXT
    )


def read_tokenizer(folder: Path) -> Any:
    """The fast tokenizer of a folder; opens no connection.

    Raises:
        BackboneError: There is none.
    """
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False, use_fast=True)
    except Exception as error:  # the tokenizers library raises bare exceptions
        raise BackboneError(f"{folder}: no usable tokenizer there; give another folder or train one") from error
