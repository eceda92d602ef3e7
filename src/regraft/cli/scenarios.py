"""`regraft scenarios`."""

import sys
from typing import TYPE_CHECKING

import click

from regraft.cli.budget import seconds
from regraft.cli.options import Output, Shared, shared_options
from regraft.core.words import seconds_said

if TYPE_CHECKING:
    from regraft.scenarios import Graded, Scenario


@click.command("scenarios")
@click.option(
    "--answer", "answers", multiple=True, help="Question and choice, such as 1=b; may be given several times."
)
@click.option("--stored", is_flag=True, help="Use the measurements that come with the package, measure nothing.")
@click.option("--budget", default="1m", show_default=True, callback=seconds, help="At most about so long a question.")
@shared_options
def command(shared: Shared, answers: tuple[str, ...], stored: bool, budget: float) -> None:  # noqa: FBT001
    """Questions of transfer learning: you answer, measurements on real data grade you and say why.

    Without --answer it asks at a terminal, and elsewhere shows every question with its verdict from stored measurements.
    """
    from regraft.scenarios import SCENARIOS, answer_given  # noqa: PLC0415 - keeps --help fast

    output = Output(shared)
    given = dict(answer_given(word) for word in answers)
    if not given and sys.stdin.isatty() and not shared.as_json:
        given = _asked(output)
    chosen = [one for one in SCENARIOS if one in given] or list(SCENARIOS)
    found = [_graded(output, shared, one, given.get(one), None if stored or not given else budget) for one in chosen]
    right = sum(one.right is True for one in found)
    views = [line for one in found for line in _views(one)]
    score = [f"{right} of {len(found)} right."] if given else []
    output.result(
        {"scenarios": [one.to_json() for one in found], "right": right if given else None, "asked": len(given)},
        *views,
        *score,
    )


def _asked(output: Output) -> "dict[Scenario, str]":
    """The answers of a person at a terminal; an empty one skips a question."""
    from regraft.scenarios import SCENARIOS  # noqa: PLC0415

    given = {}
    for one in SCENARIOS:
        for line in _question(one):
            output.say(line)
        keys = [choice.key for choice in one.answers]
        answer = click.prompt(
            "Your answer (Enter skips)", type=click.Choice([*keys, ""]), default="", show_choices=False, err=True
        )
        if answer:
            given[one] = answer
    return given


def _graded(output: Output, shared: Shared, one: "Scenario", answer: str | None, budget: float | None) -> "Graded":
    """The verdict, measured now where the data are at hand and it is wanted, else from what is stored."""
    from regraft.core import DataError  # noqa: PLC0415
    from regraft.scenarios import graded  # noqa: PLC0415
    from regraft.scenarios.stored import stored_for  # noqa: PLC0415

    if budget is not None:
        from regraft import api  # noqa: PLC0415
        from regraft.scenarios.measured import at_hand, measured  # noqa: PLC0415

        if at_hand(one.ground):
            output.say(f"measuring question {one.number} on {one.ground.said}")
            with output.progress() as progress:
                resources = api.Resources(shared.device, cache_dir=shared.cache_dir)
                advice, _ = measured(
                    one, resources=resources, budget_seconds=budget, seed=shared.seed, progress=progress
                )
            return graded(one, answer, advice, f"measured now in {seconds_said(advice.seconds)}")
    kept = stored_for(one)
    if kept is None:
        raise DataError(
            f"question {one.number}: its data are not here and no measurements are stored; set REGRAFT_SHARED"
        )
    return graded(one, answer, kept.recommendation(), f"stored measurements, made by: {kept.command}")


def _question(one: "Scenario") -> list[str]:
    """The question and its choices."""
    return [
        "",
        f"{one.number}. {one.title}",
        one.question,
        *(f"  {choice.key}) {choice.text}" for choice in one.answers),
    ]


def _views(one: "Graded") -> list[str]:
    """The question, the grade, and the measurements behind it."""
    verdict = one.verdict
    told = " and ".join(verdict.right) or "none of them"
    grade = {
        True: f"Your answer {one.answer} is right.",
        False: f"Your answer {one.answer} is not right: {told} is.",
        None: f"Right: {told}.",
    }
    said = [f"  {choice.key}: {verdict.of_each[choice.key]}" for choice in one.scenario.answers]
    rule = next((rule for rule in one.advice.rules if rule.applies), None)
    ruled = (
        []
        if rule is None
        else [
            f"  The rule of thumb ({rule.situation}: {rule.says}) {'agrees' if rule.agrees else 'disagrees'} with the ranking."
        ]
    )
    return [
        *_question(one.scenario),
        grade[one.right],
        *said,
        f"Measured on {one.scenario.ground.said} ({one.source}):",
        *(f"  {line}" for line in verdict.why if line),
        *ruled,
        one.scenario.lesson,
    ]
