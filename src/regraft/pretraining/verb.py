"""The verb: a call in words, checked and carried out."""

from collections.abc import Callable
from pathlib import Path

from regraft.core import OptionError
from regraft.pretraining.call import OBJECTIVES, Call, ObjectiveName
from regraft.pretraining.loop import Report
from regraft.pretraining.pictures import Progress
from regraft.pretraining.pretrain import Pretrained, pretrain_call
from regraft.pretraining.recipes import Recipe, preset


def pretrain(  # noqa: PLR0913 - what a caller may say
    data: str | Path,
    objective: ObjectiveName,
    *,
    out: str | Path,
    architecture: str = "",
    source: str = "",
    teacher: str = "",
    recipe: str | Recipe = "standard",
    held_out: str | Path = "",
    tokenizer: str = "",
    license_of_data: str = "unknown",
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    cache_dir: Path | None = None,
    offline: bool = False,
    resume: bool = False,
    tensorboard: bool = False,
    progress: Progress | None = None,
    on_report: Callable[[Report], None] | None = None,
) -> Pretrained:
    """Pre-train a network; the folder it returns is a backbone that `load_backbone` reads.

    Args:
        data: Pictures in class folders or WebDataset shards (`supervised`), any pictures (`simsiam`), or plain
            text with one document a line (`mlm`, `clm`).
        objective: What is to be learnt.
        out: Folder for the backbone; an interrupted run is kept there for `resume`.
        architecture: A network with random weights: a name of timm's, a small text network such as `bert-mini`,
            or a model type of transformers with settings, `bert:num_hidden_layers=3,hidden_size=192`.
        source: Instead of it: a backbone whose pre-training goes on, in its own or another domain.
        teacher: Of `supervised`: a network of timm's whose outputs are learnt from too (Hinton 2015).
        recipe: A preset's name, or a recipe.
        held_out: Texts to watch the run by; empty = a fiftieth of `data`.
        tokenizer: `train`, or a backbone whose tokenizer is taken; empty = the source's own, else trained.
        license_of_data: For passport and model card.
        seed: Of every random choice.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        precision: `auto`, `fp32` or `bf16`.
        cache_dir: Where a teacher's answers are kept; None = the platform's cache folder.
        offline: Open no connection.
        resume: Go on from what an interrupted run left in `out`; the result has the same bits.
        tensorboard: Write its events to `out/events` too.
        progress: Called with (what, done, total) while data are prepared.
        on_report: Called after each report.

    Raises:
        InputError: The call is wrong; nothing has been trained.
        TrainingError: The loss is not a number.

    Example:
        >>> pretrain("photos/", "simsiam", architecture="resnet10t", out="photos-net")  # doctest: +SKIP
    """
    if objective not in OBJECTIVES:
        raise OptionError(f"--objective {objective}: unknown; use {', '.join(OBJECTIVES)}")
    if bool(architecture) == bool(source):
        raise OptionError("give either --architecture NAME for random weights or --from BACKBONE to go on")
    if teacher and objective != "supervised":
        raise OptionError(f"--teacher goes with --objective supervised, not with {objective}")
    if (held_out or tokenizer) and objective not in {"mlm", "clm"}:
        raise OptionError(f"--held-out and --tokenizer go with mlm and clm, not with {objective}")
    chosen = preset(recipe, objective).recipe if isinstance(recipe, str) else recipe
    call = Call(str(data), objective, architecture, source, teacher, str(held_out), tokenizer, chosen, seed)
    return pretrain_call(
        call,
        Path(out),
        device=device,
        precision=precision,
        cache_dir=cache_dir,
        offline=offline,
        resume=resume,
        tensorboard=tensorboard,
        license_of_data=license_of_data,
        progress=progress,
        on_report=on_report,
    )
