"""The entry point: which commands there are, and how an error becomes an exit code."""

import difflib
import importlib
import os
import sys
import traceback
from typing import cast

import click

from regraft.core import InputError, RegraftError

EXIT_FAILED = 1
EXIT_WRONG_INPUT = 2
EXIT_INTERRUPTED = 130

# Name, module and one line of help: written out so that `--help` imports no command.
COMMANDS = (
    ("demo", "regraft.cli.demo", "The whole story on embedded data and weights, with no network."),
    ("inspect", "regraft.cli.inspect", "What the data is, and what is wrong with it."),
    ("backbones", "regraft.cli.backbones", "Which pretrained backbones can be used here."),
    ("probe", "regraft.cli.probe", "The feature hierarchy: per stage, how well it serves the task."),
    ("recommend", "regraft.cli.recommend", "Which strategy on which backbone, measured on your data, and why."),
    ("fit", "regraft.cli.fit", "Graft a head on a backbone and train it."),
    ("evaluate", "regraft.cli.evaluate", "Metrics of a model with intervals, confusion and calibration."),
    ("predict", "regraft.cli.predict", "What a model says of pictures or texts."),
    ("compare", "regraft.cli.compare", "Strategies side by side over seeds, from scratch included."),
    ("pretrain", "regraft.cli.pretrain", "Stage one: a backbone of your own from pictures or texts."),
    ("scenarios", "regraft.cli.scenarios", "Questions of transfer learning, graded by measurements."),
    ("studio", "regraft.cli.studio", "Interactive pages: see it, try it, be advised."),
)

# What an interrupted command left behind, and how to go on with it.
GOING_ON = {
    "fit": "; finished epochs are kept: give the same command with --resume to go on",
    "compare": "; finished trials are kept: give the same command again to go on",
    "pretrain": "; finished steps are kept: give the same command with --resume to go on",
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order a newcomer would use them."""
        return [name for name, _, _ in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        module = {name: module for name, module, _ in COMMANDS}.get(cmd_name)
        if module is None:
            return None
        return cast("click.Command", importlib.import_module(module).command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is called; a name that is none is answered with those there are."""
        names = self.list_commands(ctx)
        if args and not args[0].startswith("-") and args[0] not in names:
            near = difflib.get_close_matches(args[0], names, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"no command {args[0]!r}: there is {', '.join(names)}{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command list without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, _, line in COMMANDS])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="regraft")
def regraft() -> None:
    """Reuse a pretrained network on your own data, with evidence for every choice."""


def main() -> None:
    """Run the command line; errors that a user can mend are one line on stderr, never a traceback."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:  # noqa: PLR0911 - one return per kind of end
    """Run one command line and return its exit code."""
    try:
        return regraft.main(arguments, prog_name="regraft", standalone_mode=False) or 0
    except click.exceptions.NoArgsIsHelpError as help_text:
        click.echo(help_text.format_message(), err=True)
        return EXIT_WRONG_INPUT
    except click.ClickException as error:
        _say(error.format_message())
        return EXIT_WRONG_INPUT
    except InputError as error:
        _say(str(error))
        return EXIT_WRONG_INPUT
    except (KeyboardInterrupt, click.Abort):
        _say(f"interrupted{GOING_ON.get(''.join(arguments[:1]), '')}")
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except RegraftError as error:
        _say(str(error))
        return EXIT_FAILED
    except Exception:  # noqa: BLE001 - the outermost place: a bug's traceback is wanted, with exit code 1
        traceback.print_exc()
        return EXIT_FAILED


def _say(message: str) -> None:
    """One line on stderr; what a library wrote into the message may have several."""
    click.echo(f"regraft: {' '.join(line.strip() for line in message.splitlines())}", err=True)
