"""`muse nano ...`: train the native model, pack and export its weights, measure it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from musespark.cli.commands.nano_eval import card, measure
from musespark.cli.commands.nano_outside import outside, tasks
from musespark.cli.extras import require
from musespark.cli.help_format import HelpApp

app = HelpApp(
    examples=(
        ("muse nano tasks", "what the native model can be asked"),
        ("muse nano train --minutes 90", "train it anew"),
        ("muse nano eval -n 1000", "measure it"),
    )
)

app.command(
    short_help="List the tasks it is trained for, with examples.",
    examples=(("muse nano tasks", "each with an example"),),
)(tasks)
app.command(
    short_help="Ask questions it is not trained for: it should abstain, and confirm nothing wrong.",
    examples=(("muse nano outside --mode thinking", "one agent alone"),),
)(outside)
app.command(
    name="eval",
    short_help="Measure the native model on fresh problems.",
    examples=(("muse nano eval -n 1000 --mode instant", "accuracy without a thought"),),
)(measure)
app.command(
    short_help="Write the model card of what was measured.",
    examples=(("muse nano card runs/eval", "from the figures of muse nano eval"),),
)(card)

Number: TypeAlias = float | None
Count: TypeAlias = int | None


@app.callback(invoke_without_command=True)
def nano(context: typer.Context) -> None:
    """The native model: train it, pack and export its weights, measure it."""
    if context.invoked_subcommand is None:
        print(context.get_help(), flush=True)


# Defaults are those of the recipe, or of the checkpoint that is resumed: only what is given overrides them.
@app.command(
    examples=(
        ("muse nano train --minutes 90", "from scratch"),
        ("muse nano train --resume runs/nano/checkpoint.pt", "go on"),
    )
)
def train(
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Directory of checkpoints, log, curve and weights.")
    ] = Path("runs/nano"),
    minutes: Annotated[
        Number,
        typer.Option(
            help="Duration; 90 if neither this nor --tokens is given.", rich_help_panel="Budget"
        ),
    ] = None,
    tokens: Annotated[
        Number, typer.Option(help="Number of tokens to train on.", rich_help_panel="Budget")
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="CHECKPOINT",
            help="Resume from this checkpoint, with its recipe.",
            rich_help_panel="Start",
        ),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option(
            metavar="WEIGHTS",
            help="Initial weights instead of random ones.",
            rich_help_panel="Start",
        ),
    ] = None,
    width: Annotated[
        Count, typer.Option(help="Width of the network (default 256).", rich_help_panel="Network")
    ] = None,
    layers: Annotated[
        Count, typer.Option(help="Layers of the network (default 6).", rich_help_panel="Network")
    ] = None,
    heads: Annotated[
        Count,
        typer.Option(help="Attention heads of the network (default 4).", rich_help_panel="Network"),
    ] = None,
    rows: Annotated[
        Count,
        typer.Option(
            help="Rows of 864 tokens in a step, for each process (default 12).",
            rich_help_panel="Optimiser",
        ),
    ] = None,
    lr: Annotated[
        Number,
        typer.Option(
            help="Peak learning rate of the matrices (Muon) (default 0.02).",
            rich_help_panel="Optimiser",
        ),
    ] = None,
    adam_lr: Annotated[
        Number,
        typer.Option(
            help="Peak learning rate of the rest (AdamW) (default 0.003).",
            rich_help_panel="Optimiser",
        ),
    ] = None,
    warmup: Annotated[
        Number,
        typer.Option(
            help="Part of the budget over which the rates rise (default 0.01).",
            rich_help_panel="Budget",
        ),
    ] = None,
    decay: Annotated[
        Number,
        typer.Option(
            help="Part of the budget over which they fall to zero (default 0.3).",
            rich_help_panel="Budget",
        ),
    ] = None,
    seed: Annotated[
        Count,
        typer.Option(
            help="Random seed of weights and problems (default 0).", rich_help_panel="Problems"
        ),
    ] = None,
    share: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TASK=PART",
            help="A task's part of the tokens. Repeatable.",
            rich_help_panel="Problems",
        ),
    ] = None,
) -> None:
    """Train the native model, from scratch or from a checkpoint.

    It takes a CPU, a GPU, or what torchrun gives. Ctrl-C saves a checkpoint and says how to go on; a killed run loses less
    than a minute.
    """
    require("Training", "train", "torch", "matplotlib")
    from musespark.cli.commands.nano_train import recipe_for, train_by

    given = {
        "minutes": minutes,
        "tokens": tokens,
        "width": width,
        "layers": layers,
        "heads": heads,
        "rows": rows,
        "lr": lr,
        "adam_lr": adam_lr,
        "warmup": warmup,
        "decay": decay,
        "seed": seed,
    }
    recipe = recipe_for(
        {name: value for name, value in given.items() if value is not None}, share or [], resume
    )
    raise typer.Exit(train_by(recipe, out, resume, start))


@app.command(
    examples=(("muse nano pack runs/nano/checkpoint.pt nano.safetensors", "weights to ask with"),)
)
def pack(
    checkpoint: Annotated[
        Path, typer.Argument(metavar="CHECKPOINT", help="A checkpoint of muse nano train.")
    ],
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The weights file to write, .safetensors.")
    ],
    note: Annotated[str, typer.Option(help="Origin of the weights, for the model card.")] = "",
) -> None:
    """Make a weights file of a checkpoint."""
    require("Reading a checkpoint", "train", "torch")
    from musespark.nano.training.pack import pack as pack_weights

    pack_weights(checkpoint, file, note)
    print(file, flush=True)


@app.command(examples=(("muse nano export exported", "for transformers"),))
def export(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty directory.")],
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A weights file; by default the package's own."),
    ] = None,
) -> None:
    """Write the weights in a form that transformers loads."""
    from musespark.nano.export import export as export_weights

    print(export_weights(weights, directory), flush=True)
