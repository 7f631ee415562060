"""The command ``semlang``."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from importlib import import_module
from pathlib import Path
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
    "show": "the results in a fit file: summary, standardised solution, measures, modification indices",
    "predict": "expected responses, for the data of a fit or for new data",
    "scores": "scores of latent variables",
    "simulate": "data from a model or a fit",
    "power": "Monte Carlo power, bias and coverage",
    "plot": "plots of a fit: item curves, information, Wright map, scores of units, profiles",
    "report": "one HTML page about an analysis",
    "draw": "the path diagram",
    "convert": "code for lavaan, gllamm, gsem, Mplus, lme4 and mirt; models from lavaan, lme4 and Mplus",
    "serve": "the live page on this machine: type, see, fit",
    "playground": "the live page as a static site that needs no server",
    "lsp": "the language server for editors",
    "warmup": "compile the numerical kernels once",
    "doctor": "what is installed and works",
}
"""Commands in the order of the help page; each is a module of the same name in `semlang.cli.commands`."""

SYNONYMS = {
    "estimate": "fit", "run": "fit", "cfa": "fit", "sem": "fit", "lavaan": "fit", "validate": "check", "lint": "check",
    "fix": "check", "format": "fmt", "help": "explain", "describe": "explain", "diagram": "draw", "graph": "draw",
    "path": "draw", "figure": "draw", "summary": "show", "results": "show", "parameters": "table", "partable": "table",
    "latex": "equations", "identification": "identify", "identified": "identify", "anova": "compare", "lrt": "compare",
    "export": "convert", "translate": "convert", "to": "convert", "sample": "simulate", "html": "report",
    "icc": "plot", "fscores": "scores", "lavpredict": "predict", "server": "lsp", "install": "doctor",
}  # fmt: skip
"""Words that people try for a command."""


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

            near = SYNONYMS.get(args[0].lower().lstrip("-")) or nearest(args[0], COMMANDS)
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
    """Run the command line and leave with its exit status: 0 fine, 1 findings, 2 usage or files, 70 a bug."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who called
            setattr(sys, name, Path(os.devnull).open("r" if name == "stdin" else "w"))  # noqa: SIM115
    status = _status(sys.argv[1:])
    try:
        if not sys.stdout.closed:  # the language server closes it
            sys.stdout.flush()
    except BrokenPipeError:
        _silence()
    except OSError as problem:
        _say(f"semlang: standard output can't be written: {problem.strerror}")
        _silence()
        status = 2
    sys.exit(status)


def _status(arguments: list[str]) -> int:
    try:
        status = semlang.main(arguments, standalone_mode=False)
    except SystemExit as leaving:
        status = leaving.code
    except KeyboardInterrupt:
        status = _stopped()
    except click.exceptions.Abort as problem:
        if isinstance(problem.__cause__, KeyboardInterrupt) or problem.__cause__ is None:
            status = _stopped()
        else:
            status = _bug(problem.__cause__)
    except click.ClickException as problem:
        if "--json" in arguments:
            from semlang.cli.output import usage_error

            usage_error(arguments, problem.format_message())
        problem.show()
        status = problem.exit_code
    except BrokenPipeError:
        _silence()
        status = 0
    except OSError as problem:
        if problem.filename is None and problem.errno in OUTPUT_ERRORS:
            _say(f"semlang: the output can't be written: {problem.strerror}")
            _silence()
            status = 2
        else:
            status = _bug(problem)
    except Exception as problem:
        status = _bug(problem)
    return status if isinstance(status, int) else 0


OUTPUT_ERRORS = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG, errno.EIO, errno.EBADF})
"""What goes wrong when a stream is written; files that are opened have names."""


def _stopped() -> int:
    _say("stopped")
    return 130


def _bug(problem: BaseException) -> int:
    import traceback

    _say("".join(traceback.format_exception(problem)).rstrip())
    _say("semlang: this is a bug in semlang; please report it with the model and the lines above.")
    return 70


def _say(words: str) -> None:
    with contextlib.suppress(OSError):
        print(words, file=sys.stderr, flush=True)


def _silence() -> None:
    """Send what is still to be written nowhere, so that the end of the process does not fail once more."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
