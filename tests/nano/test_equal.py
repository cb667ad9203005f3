"""One network, three times implemented: torch for training, NumPy for answering, transformers for everyone else."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from networks import SMALL, random_weights

from musespark.nano import vocabulary as v, weights
from musespark.nano.decode_session import SequenceHandle, StepInput
from musespark.nano.export import export
from musespark.nano.network import NumpyDecodeSession, NumpyNetwork
from musespark.nano.trace import Trace, begin_trace

torch = pytest.importorskip("torch")
TENSORS = random_weights(SMALL, 11)
AS_STORED = {name: tensor.astype(np.float16).astype(np.float32) for name, tensor in TENSORS.items()}
NETWORK = NumpyNetwork(SMALL, AS_STORED)


@pytest.fixture(scope="module")
def trained() -> Any:
    from musespark.nano.training.network import TorchNano

    network = TorchNano(SMALL)
    network.load_state_dict({name: torch.tensor(tensor) for name, tensor in AS_STORED.items()})
    return network.eval()


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Any:
    transformers = pytest.importorskip("transformers")
    folder: Path = tmp_path_factory.mktemp("equal")
    weights.save(folder / "nano.safetensors", SMALL, TENSORS, {})
    return transformers.FuyuForCausalLM.from_pretrained(
        export(folder / "nano.safetensors", folder / "nano")
    )


def thoughts(seed: int) -> Trace:
    """A picture, a question, and forks within forks, in words that mean nothing."""
    rng = random.Random(seed)
    patches = np.random.default_rng(seed).standard_normal((v.PLACES, SMALL.patch), dtype=np.float32)
    trace, stem = begin_trace("Where is the way out of here?", patches)
    branches = [stem]
    for _ in range(12):
        branch = rng.choice(branches)
        branch.write(*(rng.randrange(4, v.SIZE) for _ in range(rng.randint(1, 30))))
        if rng.random() < 0.6:
            branches.append(branch.fork().force(v.TH, "25-3"))
    return trace


def forked(trace: Trace) -> list[np.ndarray]:
    """Logits (tokens, vocabulary) of every segment, decoded as the engine does it: a line for each, forked from its parent's.

    Segments that hang from the same one are decoded together; a token at a time, so that the caches are put to use.
    """
    session: NumpyDecodeSession = NETWORK.new_session()
    logits: list[list[np.ndarray]] = [[] for _ in trace.segments]
    ends: dict[int, SequenceHandle] = {}
    level: list[int | None] = [None]
    while level:
        together = [
            index for index, segment in enumerate(trace.segments) if segment.parent in level
        ]
        for index in together:
            parent = trace.segments[index].parent
            ends[index] = session.open() if parent is None else session.fork(ends[parent])
        for column in range(
            max((len(trace.segments[index].tokens) for index in together), default=0)
        ):
            fed = [index for index in together if column < len(trace.segments[index].tokens)]
            inputs = [
                StepInput(
                    ends[index],
                    [trace.segments[index].tokens[column]],
                    _patch(trace, index, column),
                )
                for index in fed
            ]
            for index, row in zip(fed, session.step(inputs), strict=True):
                logits[index].append(row)
        level = list(together)
    return [np.array(rows).reshape(-1, v.SIZE) for rows in logits]


def _patch(trace: Trace, segment: int, column: int) -> np.ndarray | None:
    """The root begins with <bos> and then the patches."""
    if trace.segments[segment].tokens[column] != v.PATCH:
        return None
    assert segment == 0 and trace.patches is not None
    return trace.patches[column - 1 : column]


def test_packed_training_equals_forked_decoding(trained: Any) -> None:
    """Two traces in one row, as training lays them out, against the engine's session, thread by thread."""
    from musespark.nano.training.batches import pack

    traces = [thoughts(1), thoughts(2)]
    packed = pack([[(0, trace) for trace in traces]], sum(map(len, traces)) + 5)
    segments = packed.segments[0]
    mask = packed.ancestors[0][segments[:, None], segments[None]] & np.tri(
        len(segments), dtype=bool
    )
    with torch.no_grad():
        logits = trained(
            torch.tensor(packed.tokens).long(), torch.tensor(packed.positions).long(), torch.tensor(mask)[None],
            torch.tensor(packed.patches).float(), torch.tensor(packed.where).long(),
        )[0].numpy()  # fmt: skip
    column = 0
    for trace in traces:
        for segment, rows in zip(trace.segments, forked(trace), strict=True):
            np.testing.assert_allclose(
                logits[column : column + len(segment.tokens)], rows, atol=1e-3
            )
            column += len(segment.tokens)


def test_transformers_packed_equals_forked_decoding(exported: Any) -> None:
    """The same of the exported model: a mask of four dimensions and positions of our own."""
    trace = thoughts(3)
    mask = np.zeros((len(trace), len(trace)), bool)
    paths: list[list[int]] = []
    column = 0
    for segment in trace.segments:
        path = [] if segment.parent is None else paths[segment.parent].copy()
        for _ in segment.tokens:
            path.append(column)
            mask[column, path] = True
            column += 1
        paths.append(path)
    words = [token for segment in trace.segments for token in segment.tokens]
    positions = [
        segment.start + offset
        for segment in trace.segments
        for offset in range(len(segment.tokens))
    ]
    with torch.no_grad():
        logits = exported(
            input_ids=torch.tensor([words]), pixel_values=torch.tensor(trace.patches)[None],
            position_ids=torch.tensor([positions]),
            attention_mask=torch.where(torch.tensor(mask), 0.0, torch.finfo(torch.float32).min)[None, None],
        ).logits[0].numpy()  # fmt: skip
    np.testing.assert_allclose(logits, np.concatenate(forked(trace)), atol=1e-3)


def test_a_plain_path_in_all_three(trained: Any, exported: Any) -> None:
    trace = thoughts(4)
    words, patches = trace.segments[0].tokens, trace.patches
    ours = forked(Trace(patches, trace.segments[:1]))[0]
    length = len(words)
    with torch.no_grad():
        theirs = (
            exported(input_ids=torch.tensor([words]), pixel_values=torch.tensor(patches)[None])
            .logits[0]
            .numpy()
        )
        torchs = trained(
            torch.tensor([words]), torch.arange(length)[None], torch.ones(1, length, length, dtype=torch.bool).tril(),
            torch.tensor(patches), torch.arange(1, 1 + v.PLACES),
        )[0].numpy()  # fmt: skip
    np.testing.assert_allclose(ours, torchs, atol=1e-3)
    np.testing.assert_allclose(ours, theirs, atol=1e-3)
