"""The nouns of regraft: plain frozen data, standard library only."""

from regraft.core.digest import file_sha256
from regraft.core.errors import (
    BackboneError,
    DataError,
    FrozenDriftError,
    HubError,
    InputError,
    ModelError,
    OptionError,
    PlanError,
    RegraftError,
    TrainingError,
)
from regraft.core.evidence import Evidence, Measurement
from regraft.core.learnt import Learnt
from regraft.core.outline import ATTENTION_FAMILIES, TEXT_FAMILIES, Outline, Stage
from regraft.core.passport import Passport
from regraft.core.plan import Adapter, Penalty, Phase, Plan, Solve, Train
from regraft.core.recommendation import Choice, Recommendation, RuleCheck
from regraft.core.run import Run, Step, standing
from regraft.core.task import (
    Answers,
    ImageSample,
    Problem,
    Sample,
    Split,
    Task,
    TaskKind,
    TaskSummary,
    TextSample,
)

__all__ = [
    "ATTENTION_FAMILIES",
    "TEXT_FAMILIES",
    "Adapter",
    "Answers",
    "BackboneError",
    "Choice",
    "DataError",
    "Evidence",
    "FrozenDriftError",
    "HubError",
    "ImageSample",
    "InputError",
    "Learnt",
    "Measurement",
    "ModelError",
    "OptionError",
    "Outline",
    "Passport",
    "Penalty",
    "Phase",
    "Plan",
    "PlanError",
    "Problem",
    "Recommendation",
    "RegraftError",
    "RuleCheck",
    "Run",
    "Sample",
    "Solve",
    "Split",
    "Stage",
    "Step",
    "Task",
    "TaskKind",
    "TaskSummary",
    "TextSample",
    "Train",
    "TrainingError",
    "file_sha256",
    "standing",
]
