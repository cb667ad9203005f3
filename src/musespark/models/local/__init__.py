"""Language models in this process: any GGUF file, decoded by llama.cpp (xllamacpp) without a server and without a key.

gguf_model.py  the model behind the protocol
model_file.py  the file that a name stands for, and what its head says
gguf_head.py   the head of a GGUF file, read without loading it
chat_body.py   a request as llama.cpp's chat body
chunks.py      llama.cpp's chunks as deltas
think_tags.py  thoughts between tags, apart from the text
engine.py      a loaded file: one batch of slots for all agents of the process
slots.py       the slot of each call, and prompts that several calls share
loading.py     memory, signals and the socket around llama.cpp's start
"""
