"""The native model: a transformer of five million parameters, with an engine in NumPy. Of the package it imports only `errors`.

- `vocabulary.py`: the tokens, one vocabulary for text, images and control
- `patches.py`, `tiles.py`, `canvas.py`: images into patches; the codebook of tiles; the canvas that a thread paints
- `weights.py`, `export.py`: the weights file of the package; the directory that `transformers` loads
- `network.py`, `attention.py`, `cache.py`: the mathematics, attention over shared segments, the KV cache
- `arrays.py`, `blas_threads.py`: names of array types; one BLAS thread during a step
- `decode_session.py`: the interface between the engine and a network
- `grammar.py`, `sampling.py`, `repetition.py`: legal tokens; choice of one; detection of loops
- `threads.py`, `engine.py`, `engine_events.py`: the threads of a request; batches of requests; the events they yield
- `trace.py`: training traces, a tree of token segments
- `tasks/`: the tasks it is trained on, their solvers, readers and verifiers
- `training/`: the same network in torch, batches, optimiser, the training loop
- `data/`: the weights
"""
