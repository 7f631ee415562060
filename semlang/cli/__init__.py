"""The command ``semlang``."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from semlang import __version__

COMMANDS = {
    "check": "findings about model files",
    "fmt": "the canonical layout of model files",
    "explain": "the page of a finding; a model in words",
    "table": "the parameter table",
    "matrices": "GLLAMM matrices",
    "equations": "the model's equations as LaTeX",
    "plan": "how the likelihood will be computed",
    "identify": "whether the parameters are identified, and why",
    "compare": "whether two models are equivalent or nested; with data, the test",
    "equivalents": "models that no data can tell from this one",
    "fit": "maximum likelihood estimates",
    "draw": "the path diagram",
    "convert": "code for lavaan, gllamm, gsem, Mplus, lme4 and mirt; models from lavaan",
    "lsp": "the language server for editors",
    "warmup": "compile the numerical kernels once",
    "doctor": "what is installed and works",
}
"""Commands in the order of the help page; each is a module of the same name in `semlang.cli.commands`."""


class Commands(click.Group):
    """Loads the module of a command when it is called, so that starting is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"semlang.cli.commands.{cmd_name}").command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS:
            from semlang.syntax.nearest import nearest

            near = nearest(args[0], COMMANDS)
            hint = f" Did you mean '{near}'?" if near else " See 'semlang --help'."
            raise click.UsageError(f"There is no command '{args[0]}'.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="semlang")
def semlang() -> None:
    """Latent variable models: a language, its compiler and maximum likelihood estimation."""


def main() -> None:
    """Run the command line and leave with its exit status: 0 fine, 1 findings, 2 usage, 70 a bug."""
    arguments = sys.argv[1:]
    try:
        status = semlang.main(arguments, standalone_mode=False)
    except click.exceptions.Abort:
        print("stopped", file=sys.stderr)
        status = 130
    except click.ClickException as problem:
        if "--json" in arguments:
            from semlang.cli.output import usage_error

            usage_error(arguments, problem.format_message())
        problem.show()
        status = problem.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        status = 0
    except Exception:
        import traceback

        traceback.print_exc()
        print(
            "semlang: this is a bug in semlang; please report it with the model and the lines above.",
            file=sys.stderr,
        )
        status = 70
    sys.exit(status if isinstance(status, int) else 0)
