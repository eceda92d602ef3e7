"""Stage one from end to end: data and an objective in, a backbone folder out."""

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from regraft.activations.store import ActivationStore
from regraft.backbones.folders import CONFIG
from regraft.core import InputError, ModelError
from regraft.core.places import default_cache_dir
from regraft.pretraining.call import Call
from regraft.pretraining.checkpoint import steps_done
from regraft.pretraining.log import LOG, Log, read_log
from regraft.pretraining.loop import Keeping, Report, Run
from regraft.pretraining.objectives import Work, objective_of
from regraft.pretraining.pictures import Progress
from regraft.pretraining.processes import current_processes
from regraft.pretraining.writing import write_backbone
from regraft.running.devices import trains_in_bf16

RUN_FOLDER = "run"


@dataclass(frozen=True)
class Pretrained:
    """What came of a run.

    Attributes:
        call: What was asked for.
        architecture: The network's name.
        folder: The backbone.
        last: The last report; its metrics are those of all held-out data.
        seconds: Wall time of this call; of a resumed run the earlier part is not in it.
        main: Whether this process is the one that writes and talks.
    """

    call: Call
    architecture: str
    folder: Path
    last: Report
    seconds: float
    main: bool = True


def pretrain_call(  # noqa: PLR0913 - what a caller may say
    call: Call,
    out: Path,
    *,
    device: str = "auto",
    precision: str = "auto",
    cache_dir: Path | None = None,
    offline: bool = False,
    resume: bool = False,
    tensorboard: bool = False,
    license_of_data: str = "unknown",
    every_seconds: float = 120.0,
    report_steps: int = 20,
    progress: Progress | None = None,
    on_report: Callable[[Report], None] | None = None,
) -> Pretrained:
    """Train, log, and write the backbone.

    Args:
        call: Data, objective, start and recipe.
        out: Folder for the backbone; an interrupted run is kept there for `resume`.
        device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
        precision: `auto`, `fp32` or `bf16`.
        cache_dir: Where a teacher's answers are kept; None = the platform's cache folder.
        offline: Open no connection.
        resume: Go on from what an interrupted run left in `out`; the result has the same bits.
        tensorboard: Write its events too.
        license_of_data: For passport and card.
        every_seconds: Between checkpoints.
        report_steps: Between reports.
        progress: Called with (what, done, total) while data are prepared.
        on_report: Called after each report.

    Raises:
        InputError: The call is wrong.
        TrainingError: The loss is not a number.
    """
    begun = time.perf_counter()
    processes = current_processes(device)
    run_folder, log = out / RUN_FOLDER, None
    with _nothing_left(run_folder) if processes.main else contextlib.nullcontext():
        if processes.main:
            check_out(out, resume=resume)
        store = ActivationStore((cache_dir or default_cache_dir()) / "activations")
        with processes.main_first():  # the others find decoded data and the teacher's answers
            work = objective_of(call, Work(run_folder, store, processes.device, precision, offline, progress))
        if processes.main:
            log = Log(run_folder, steps_done(run_folder), out / "events" if tensorboard else None)
    identity = json.dumps({"call": {**asdict(call), "data": ""}, "data": work.fingerprint}, sort_keys=True)
    low = trains_in_bf16(processes.device, precision, convolutional=work.convolutional)
    keeping = Keeping(run_folder, identity, every_seconds, report_steps)
    last: Report | None = None
    for last in Run(work.objective, call.recipe.schedule, call.seed, processes, low, keeping).reports():
        if log is not None:
            log.add(last)
            if on_report is not None:
                on_report(last)
    if last is None:  # all steps were done before; only writing was interrupted
        last = Report(**read_log(run_folder)[-1])
    if log is not None:
        log.close()
        write_backbone(call, work, out, last, license_of_data)
        shutil.move(run_folder / LOG, out / LOG)
        shutil.rmtree(run_folder)
    return Pretrained(call, work.architecture, out, last, time.perf_counter() - begun, processes.main)


@contextlib.contextmanager
def _nothing_left(folder: Path) -> Iterator[None]:
    """Inside, wrong input removes `folder` and the folders above it that were not there before."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        yield
    except InputError:
        if missing:
            shutil.rmtree(missing[-1], ignore_errors=True)
        raise


def check_out(out: Path, *, resume: bool) -> None:
    """See that a run to `out` overwrites nothing, and make its folder.

    Raises:
        ModelError: Something would be overwritten, or an interrupted run is there and `resume` is not set.
    """
    folder = out / RUN_FOLDER
    for parent in (out, *out.parents):
        if parent.exists() and not parent.is_dir():
            raise ModelError(f"--out {out}: {parent} is a file; name a folder")
    if folder.exists() and not resume:
        raise ModelError(f"{out} holds an interrupted run; add --resume to go on, or remove it to start again")
    if not folder.exists() and (out / CONFIG).exists():
        raise ModelError(f"{out} already holds a backbone; name another --out or remove it")
    if not folder.exists() and out.exists() and any(out.iterdir()):
        raise ModelError(f"{out} exists and holds other files; name a new folder for --out")
    folder.mkdir(parents=True, exist_ok=True)
