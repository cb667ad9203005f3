"""Tokens per second of the engine beside `transformers` generate: the same weights, the same batch, taking turns in one run.

    python benchmarks/engine_vs_transformers.py [--weights FILE] [--batch 16] [--tokens 64]

Needs torch and transformers. Three workloads: one question; a batch of questions; a batch of threads that share a long
prompt, as a team does (a plain batch repeats the prompt in every row). All decode greedily, the same number of tokens in
every row, prompt included in the time. `engine` adds grammar and events to `network`, and stops when a question is answered.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from weights_of import weights_of

from musespark.nano import vocabulary as v
from musespark.nano.decode_session import Network, StepInput
from musespark.nano.engine import Engine
from musespark.nano.engine_events import Finished
from musespark.nano.export import export
from musespark.nano.threads import EngineRequest
from musespark.nano.weights import save

ROUNDS = 4
"""The best of these counts; the first one also warms up."""
Contestant = Callable[[], int]
"""Writes, and returns how many tokens."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--weights",
        help="a weights file; default: the packaged one, else random weights of the same shape",
    )
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=64, help="tokens to write in every row")
    parser.add_argument(
        "--shared", type=int, default=512, help="tokens of the prompt that threads share"
    )
    options = parser.parse_args()
    config, tensors, described = weights_of(options.weights)
    network = Engine(config, tensors).network
    print(f"{described}; {options.tokens} tokens written in every row")
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder) / "nano.safetensors", config, tensors, {})
        generate = transformers_generate(
            export(Path(folder) / "nano.safetensors", Path(folder) / "nano"), options.tokens
        )
    print(f"{'':38} {'who':22} {'tokens/s':>9} {'x transformers':>15}")
    for name, prompts in (
        ("one question", questions(1)),
        (f"{options.batch} questions", questions(options.batch)),
        (
            f"{options.batch} threads, {options.shared} tokens shared",
            threads(options.batch, options.shared),
        ),
    ):
        compare(name, prompts, generate, network, options.tokens)


def compare(
    name: str, prompts: list[list[int]], generate: Callable[..., int], network: Network, tokens: int
) -> None:
    """One batch, all contestants in turn."""
    contestants: dict[str, Contestant] = {
        "transformers generate": lambda: generate(prompts),
        "network": lambda: network_alone(network, prompts, tokens),
        "engine": lambda: whole_engine(network, prompts, tokens),
    }
    if common(prompts) > len(prompts[0]) // 2:
        del contestants[
            "engine"
        ]  # its threads are spawned by the network itself, not by a benchmark
    best = dict.fromkeys(contestants, 0.0)
    for _ in range(ROUNDS):
        for who, contestant in contestants.items():
            start = time.perf_counter()
            written = contestant()
            best[who] = max(best[who], written / (time.perf_counter() - start))
    for who, speed in best.items():
        print(f"{name:38} {who:22} {speed:9.0f} {speed / best['transformers generate']:15.1f}")
        name = ""


def questions(count: int) -> list[list[int]]:
    """Prompts of one length, so that no padding is needed."""
    rng = random.Random(0)
    drawn = ([rng.randint(10, 99) for _ in range(5)] for _ in range(count))
    texts = (f"Use {a}, {b}, {c} and {d} to make {target}." for a, b, c, d, target in drawn)
    return [[v.BOS, *v.encode(text), v.THINK] for text in texts]


def threads(count: int, shared: int) -> list[list[int]]:
    """One long prompt, and a branch for each thread."""
    rng = random.Random(0)
    prompt = [v.BOS, *(rng.randrange(30, 120) for _ in range(shared - 1))]
    return [[*prompt, v.TH, *v.encode(f"{10 + branch}"), v.GO] for branch in range(count)]


def common(prompts: list[list[int]]) -> int:
    """Length of the common prefix of several prompts, in tokens."""
    return (
        next(
            index
            for index in range(len(prompts[0]))
            if len({prompt[index] for prompt in prompts}) > 1
        )
        if prompts[1:]
        else 0
    )


def transformers_generate(directory: Path, tokens: int) -> Callable[[list[list[int]]], int]:
    """A function that continues prompts with transformers and returns the number of tokens."""
    import torch
    import transformers

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    model = transformers.FuyuForCausalLM.from_pretrained(directory).eval()

    def generate(prompts: list[list[int]]) -> int:
        given = torch.tensor(prompts)
        with torch.inference_mode():
            out = model.generate(
                input_ids=given,
                attention_mask=torch.ones_like(given),
                min_new_tokens=tokens,
                max_new_tokens=tokens,
            )
        return int(out.shape[1] - given.shape[1]) * len(prompts)

    return generate


def network_alone(network: Network, prompts: list[list[int]], tokens: int) -> int:
    """Continue with the NumPy network, whatever it says; what all prompts begin with is read once."""
    session = network.new_session()
    stem, shared = session.open(), common(prompts)
    if shared > 1:
        session.step([StepInput(stem, prompts[0][:shared])])
    else:
        shared = 0
    inputs = [StepInput(session.fork(stem), prompt[shared:]) for prompt in prompts]
    for _ in range(tokens):
        chosen = session.step(inputs).argmax(1)
        for step_input, token in zip(inputs, chosen.tolist(), strict=True):
            step_input.tokens = [token]
    return tokens * len(prompts)


def whole_engine(network: Network, prompts: list[list[int]], tokens: int) -> int:
    """Answer the questions in one batch."""
    asked = [EngineRequest(prompt[:-1], prompt[-1], max_tokens=tokens) for prompt in prompts]
    told = Engine.of(network).run_many(asked, len(asked))
    return sum(event.tokens for _, event in told if isinstance(event, Finished))


if __name__ == "__main__":
    main()
