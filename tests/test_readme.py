"""What the README shows exists: its commands parse, its Python names are there, its files too."""

import ast
import re
import shlex
from pathlib import Path

import click
import pytest
from sklearn.model_selection import GridSearchCV

import regraft
from regraft.cli.main import COMMANDS
from regraft.cli.main import regraft as group
from regraft.core import Evidence, Measurement, Recommendation, Task
from regraft.hierarchy import Probe
from regraft.strategies import STRATEGIES

README = Path(__file__).resolve().parents[1] / "README.md"
TEXT = README.read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


CALLS = [
    shlex.split(line.removeprefix("$ ").removeprefix("uv run "), comments=True)
    for block in blocks("console")
    for line in block.splitlines()
    if line.startswith(("$ regraft ", "$ uv run regraft "))
]


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_a_command_parses(call: list[str]) -> None:
    with click.Context(group) as context:
        command = group.get_command(context, call[1])
        assert command is not None, f"no command {call[1]}"
        command.make_context(call[1], call[2:])  # parses and converts, runs nothing


def test_the_commands_are_found() -> None:
    assert {call[1] for call in CALLS} >= {
        "demo",
        "inspect",
        "backbones",
        "fit",
        "evaluate",
        "predict",
        "compare",
        "pretrain",
    }
    assert {call[1] for call in CALLS} <= {name for name, _, _ in COMMANDS}


def test_options_in_the_text_exist() -> None:
    with click.Context(group) as context:
        commands = [group.get_command(context, name) for name, _, _ in COMMANDS]
    known = {option for command in commands if command for one in command.params for option in one.opts}
    shown = set(re.findall(r"`(--[a-z-]+)", TEXT))
    assert shown
    assert shown <= known


def test_strategies_in_the_table_exist() -> None:
    table = TEXT.split("## Strategies")[1].split("\n## ")[0]
    assert re.findall(r"^\| `([a-z-]+)`", table, re.MULTILINE) == [one.name for one in STRATEGIES]


def test_files_it_links_to_exist() -> None:
    links = re.findall(r"\]\(([^):#]+)\)", TEXT)
    assert links
    assert not [link for link in links if not (README.parent / link).exists()]


@pytest.mark.parametrize("block", blocks("python"))
def test_names_in_the_python_block_exist(block: str) -> None:
    known = {
        "task": Task,
        "model": regraft.Model,
        "again": regraft.Model,
        "regraft": regraft,
        "search": GridSearchCV,
        "advice": Recommendation,
        "found": Probe,
        "evidence": Evidence,
        "one": Measurement,
    }
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            kind = known[node.value.id]
            fields = getattr(kind, "__dataclass_fields__", {})
            assert hasattr(kind, node.attr) or node.attr in fields, ast.unparse(node)
