"""Training of the native model. Needs torch.

- `batches.py`: problems into packed rows of traces, made in a background process
- `network.py`: the network in torch, under the parameter names of `FuyuForCausalLM`
- `optimizer.py`: Muon for matrices, AdamW for the rest
- `train.py`: the recipe, the training loop, checkpoints
- `pack.py`: a checkpoint into a weights file
- `curve.py`: the loss curve
"""
