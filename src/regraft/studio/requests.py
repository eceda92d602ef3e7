"""Bodies that pages send, checked field by field."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=200)]


class Asked(BaseModel):
    """Fields that are not known are refused."""

    model_config = ConfigDict(extra="forbid")


class Training(Asked):
    """What departs from a strategy's defaults."""

    boundary: Annotated[str, Field(max_length=100)] | None = None
    head: Literal["logistic", "ridge", "linear", "mlp", "token", "span"] | None = None
    epochs: Annotated[int, Field(ge=1, le=1000)] | None = None
    learning_rate: Annotated[float, Field(gt=0, le=10)] | None = None
    batch_size: Annotated[int, Field(ge=1, le=4096)] | None = None
    batch_norm: Literal["frozen", "adapt-statistics", "train"] | None = None
    augment: bool | None = None
    penalty: Literal["l2-sp", "lwf"] | None = None
    seed: Annotated[int, Field(ge=0, le=(1 << 32) - 1)] = 0


class AskedFit(Asked):
    """A training run."""

    verb: Literal["fit"]
    task: Name
    backbone: Name
    strategy: Name
    settings: Training = Training()
    source: Name | None = None


class AskedComparison(Asked):
    """Strategies side by side."""

    verb: Literal["compare"]
    task: Name
    backbone: Name
    strategies: Annotated[list[Name], Field(min_length=1, max_length=7)]
    seeds: Annotated[int, Field(ge=1, le=10)] = 1
    shots: Annotated[list[Annotated[int, Field(ge=1, le=100_000)] | None], Field(min_length=1, max_length=8)] = [None]
    settings: Training = Training()


class AskedAdvice(Asked):
    """A recommendation."""

    verb: Literal["recommend"]
    task: Name
    backbone: Name
    budget_seconds: Annotated[float, Field(gt=0, le=3600)] = 60.0


class AskedProbe(Asked):
    """The feature hierarchy on a task."""

    verb: Literal["probe"]
    task: Name
    backbone: Name


class AskedScenario(Asked):
    """A scenario measured here and now."""

    verb: Literal["scenario"]
    number: Annotated[int, Field(ge=1, le=1000)]
    answer: Annotated[str, Field(pattern=r"^[a-z]$")]
    budget_seconds: Annotated[float, Field(gt=0, le=3600)] = 60.0


OfTask = AskedFit | AskedComparison | AskedAdvice | AskedProbe
AskedJob = Annotated[OfTask | AskedScenario, Field(discriminator="verb")]


class AskedAnswer(Asked):
    """An answer to a scenario."""

    answer: Annotated[str, Field(pattern=r"^[a-z]$")]


class AskedLook(Asked):
    """A picture or text to be seen stage by stage."""

    backbone: Name
    text: str = ""
    picture: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")] | None = None


class AskedPrediction(Asked):
    """A text to predict on, or a picture that was sent before."""

    text: str = ""
    picture: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")] | None = None
    label: Annotated[str, Field(max_length=500)] | None = None
