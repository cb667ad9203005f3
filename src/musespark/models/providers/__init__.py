"""Models of hosted providers and of servers on one's own machines, one small file per kind of provider.

base.py        `Provider`: address, key, abilities and limits of a kind, and how its client is built
openai.py      OpenAI, by Chat Completions and by Responses
anthropic.py   Anthropic's Messages
google.py      Google's Gemini API
mistral.py     Mistral
meta.py        Meta's Model API
compatible.py  any server of Chat Completions; vLLM, llama.cpp and LM Studio
ollama.py      Ollama
discovery.py   the models that servers on this machine serve
prices.py      prices of tokens
adapter/       requests, conversations, replies, failures and connections, the same for all of them
"""
