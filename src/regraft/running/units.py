"""What a trunk reads of each sample: the sample itself, or windows of a long sentence or passage."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from regraft.backbones.contract import Backbone
from regraft.backbones.text import TextPreprocess
from regraft.core import Answers, DataError, Sample, Split, Task, TaskKind, TextSample
from regraft.heads import IGNORED

STRIDE = 64  # tokens that neighbouring windows of a passage share, so that few answers are cut
NO_ANSWER = (0, 0)


@dataclass(frozen=True)
class Unit:
    """What one row of a batch holds.

    Attributes:
        sample: The sample, or a window of it.
        owner: Position of the whole sample.
        start: First word (tagged words) or character (passages) of the window in the whole.
    """

    sample: Sample
    owner: int
    start: int = 0


def units_of(kind: TaskKind, backbone: Backbone, samples: Sequence[Sample]) -> list[Unit]:
    """The rows that samples become; one each, but for long tagged sentences and passages."""
    if kind == "token-classification":
        return [unit for owner, sample in enumerate(samples) for unit in _word_windows(backbone, sample, owner)]
    if kind == "question-answering":
        return [unit for owner, sample in enumerate(samples) for unit in _passage_windows(backbone, sample, owner)]
    return [Unit(sample, owner) for owner, sample in enumerate(samples)]


def as_units(task: Task, backbone: Backbone) -> Task:
    """The task with windows for samples, and targets that are numbers or equally long tuples of them."""
    if task.kind not in {"token-classification", "question-answering"}:
        return task
    return replace(task, splits={name: _split_units(task.kind, backbone, split) for name, split in task.splits.items()})


def _split_units(kind: TaskKind, backbone: Backbone, split: Split) -> Split:
    units = units_of(kind, backbone, split.samples)
    targets: list[tuple[int, ...]]
    if kind == "question-answering":
        targets = [_span_target(backbone, unit, split.targets[unit.owner]) for unit in units]
    else:
        targets = [_tag_target(backbone, unit, split.targets[unit.owner]) for unit in units]
        longest = max(map(len, targets), default=0)
        targets = [(*tags, *(IGNORED,) * (longest - len(tags))) for tags in targets]
    return Split(tuple(unit.sample for unit in units), tuple(targets))


def token_offsets(backbone: Backbone, sample: Sample, *, truncate: bool = True) -> list[tuple[int, int, int]]:
    """(part, first character, end) of every token: part 0 is the text, 1 its pair, -1 a special token.

    Raises:
        DataError: The sample or the backbone is of another kind.
    """
    preprocess: Any = backbone.preprocess
    if not isinstance(preprocess, TextPreprocess) or not isinstance(sample, TextSample):
        raise DataError(f"{sample.source}: this task needs texts and a backbone that reads them")
    return preprocess.offsets(sample, truncate=truncate)


def first_tokens(backbone: Backbone, sample: Sample) -> list[int]:
    """The position of each word's first token; -1 for a word without one."""
    words = sample.words if isinstance(sample, TextSample) else ()
    found = [-1] * len(words)
    for position, word in enumerate(_words_of_tokens(backbone, sample, truncate=True)):
        if word >= 0 and found[word] < 0:
            found[word] = position
    return found


def _words_of_tokens(backbone: Backbone, sample: Sample, *, truncate: bool) -> list[int]:
    """The word that each token lies in; -1 for special tokens."""
    words = sample.words if isinstance(sample, TextSample) else ()
    starts, place = [], 0
    for word in words:
        starts.append(place)
        place += len(word) + 1
    # A byte-level token begins with the space before its word: its last character tells the word.
    return [
        bisect_right(starts, end - 1) - 1 if part == 0 and end > begin else -1
        for part, begin, end in token_offsets(backbone, sample, truncate=truncate)
    ]


def _longest(backbone: Backbone) -> int:
    preprocess: Any = backbone.preprocess
    length: int = preprocess.max_length
    return length


def _word_windows(backbone: Backbone, sample: Sample, owner: int) -> Iterator[Unit]:
    """A sentence in windows of whole words, each word in one; words without end are cut by the tokenizer."""
    tokens = _words_of_tokens(backbone, sample, truncate=False)
    if len(tokens) <= _longest(backbone) or not isinstance(sample, TextSample):
        yield Unit(sample, owner)
        return
    sizes = [0] * len(sample.words)
    for word in tokens:
        if word >= 0:
            sizes[word] += 1
    room = _longest(backbone) - tokens.count(-1)
    begin = used = 0
    for word, size in enumerate(sizes):
        if used + size > room and word > begin:
            yield Unit(_words(sample, begin, word), owner, begin)
            begin, used = word, 0
        used += size
    yield Unit(_words(sample, begin, len(sizes)), owner, begin)


def _words(sample: TextSample, begin: int, end: int) -> TextSample:
    words = sample.words[begin:end]
    return replace(sample, text=" ".join(words), words=words)


def _passage_windows(backbone: Backbone, sample: Sample, owner: int) -> Iterator[Unit]:
    """A question with each window of its passage; neighbours share `STRIDE` tokens (Devlin 2019, section 4.2)."""
    offsets = token_offsets(backbone, sample, truncate=False)
    longest = _longest(backbone)
    if len(offsets) <= longest or not isinstance(sample, TextSample) or sample.text_pair is None:
        yield Unit(sample, owner)
        return
    question = [one for one in offsets if one[0] == 0]
    most = longest // 2
    if len(question) > most:
        sample = replace(sample, text=sample.text[: question[most - 1][2]])
    special = sum(part < 0 for part, _, _ in offsets)
    room = max(longest - special - min(len(question), most), 1)
    passage = [(begin, end) for part, begin, end in offsets if part == 1]
    step = max(room - min(STRIDE, room // 2), 1)
    for first in range(0, len(passage), step):
        window = passage[first : first + room]
        begin, end = window[0][0], window[-1][1]
        yield Unit(replace(sample, text_pair=(sample.text_pair or "")[begin:end]), owner, begin)
        if first + room >= len(passage):
            return


def _tag_target(backbone: Backbone, unit: Unit, tags: Sequence[int]) -> tuple[int, ...]:
    """A tag at each word's first token, `IGNORED` elsewhere."""
    firsts = first_tokens(backbone, unit.sample)
    target = [IGNORED] * len(token_offsets(backbone, unit.sample))
    for word, position in enumerate(firsts):
        if position >= 0:
            target[position] = tags[unit.start + word]
    return tuple(target)


def _span_target(backbone: Backbone, unit: Unit, answers: Answers) -> tuple[int, int]:
    """First and last token of the first answer, or `NO_ANSWER` where this window does not hold all of it."""
    if not answers.spans or not isinstance(unit.sample, TextSample):
        return NO_ANSWER
    start, text = answers.spans[0]
    begin, end = start - unit.start, start - unit.start + len(text)
    if begin < 0 or end > len(unit.sample.text_pair or ""):
        return NO_ANSWER
    offsets = token_offsets(backbone, unit.sample)
    inside = [i for i, (part, first, last) in enumerate(offsets) if part == 1 and first < end and last > begin]
    if not inside or offsets[inside[-1]][2] < end:  # the tokenizer has cut the end off
        return NO_ANSWER
    return inside[0], inside[-1]
