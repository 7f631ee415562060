"""``semlang convert``: code for other programs, and models from some of them."""

from __future__ import annotations

import click

from semlang.cli.output import Report, model_and_data, model_options, reporting, source_of

ORIGINS = ("lavaan", "lme4", "mplus")
TARGETS = ("lavaan", "gllamm", "gsem", "mplus", "lme4", "mirt")


@click.command("convert")
@click.argument("file")
@model_options
@click.option("--to", "target", type=click.Choice(TARGETS), help="Program that the code is for.")
@click.option("--from", "origin", type=click.Choice(ORIGINS), help="Read a text of that program, write a .sem text.")
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="Argument of lavaan's call: std.lv=TRUE.")
@click.option("-o", "--output", metavar="FILE", help="Write the code to a file.")
@reporting("convert")
def command(
    report: Report,
    file: str,
    data: str | None,
    defaults: str | None,
    target: str | None,
    origin: str | None,
    settings: tuple[str, ...],
    output: str | None,
) -> None:
    """Write a model as code for another program; what can't be said there is a finding and a comment."""
    if (target is None) == (origin is None):
        raise click.UsageError(f"say either --to PROGRAM or --from {'|'.join(ORIGINS)}")
    if settings and origin != "lavaan":
        raise click.UsageError("--set goes with --from lavaan")
    if origin == "mplus":
        from semlang.convert import from_mplus

        converted = from_mplus(source_of(file))
    elif origin == "lme4":
        from semlang.convert import from_lme4

        converted = from_lme4(source_of(file))
    elif origin is not None:
        from semlang.convert import from_lavaan

        converted = from_lavaan(source_of(file), defaults=defaults, **_arguments(settings))
    else:
        assert target is not None
        model, _ = model_and_data(report, file, data, defaults)
        converted = model.convert(target)
    report.add(converted.findings)
    text = converted.text.rstrip("\n")
    if output and converted.text and report.wrote(output, converted.text.encode()):
        text = f"wrote {output}"
    report.finish({"text": converted.text, "complete": converted.complete, "file": output}, text)


def _arguments(settings: tuple[str, ...]) -> dict[str, object]:
    """Read ``NAME=VALUE``; a value with commas is a list."""
    out: dict[str, object] = {}
    for s in settings:
        name, sign, value = s.partition("=")
        if not sign or not name.strip():
            raise click.UsageError(f"--set wants NAME=VALUE, not '{s}'")
        words = [w.strip() for w in value.split(",")]
        flags = {"TRUE": True, "T": True, "FALSE": False, "F": False}
        out[name.strip()] = words if len(words) > 1 else flags.get(words[0].upper(), words[0])
    return out
