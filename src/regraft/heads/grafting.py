"""The head that a plan grafts on a trunk, ready to learn."""

import torch

from regraft.core import Outline, Plan, Solve, Task
from regraft.core.plan import SOLVED
from regraft.heads.building import build_head, head_width
from regraft.heads.contract import Head, Reads


def head_for(plan: Plan, outline: Outline, task: Task) -> Head:
    """A new head of the plan's kind for the task; of a solved one, with the stages that it will read."""
    reads: Reads | None = "pairs" if task.paired and plan.head in SOLVED else None
    taps = next((phase.taps for phase in plan.phases if isinstance(phase, Solve)), ())
    width = head_width(outline, taps)
    head = build_head(plan.head, width, len(task.classes), plan.seed, task=task.kind, reads=reads, taps=taps)
    if task.kind == "text-regression":
        head.begin(torch.tensor(task.train.targets))
    return head
