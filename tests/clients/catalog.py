"""The programs that `make test-clients` runs, one line each: a program is a small script in `programs/`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).parent / "programs"
_SETTINGS = re.compile(r"^(?:#|//) settings\n(.*?)\n\n(?:#|//) turns$", re.M | re.S)


@dataclass(frozen=True)
class Program:
    """A program, and where it is installed."""

    title: str
    script: str
    """File in `programs/`."""
    home: str
    """Folder of `.venv-clients` in which it is installed: an environment of Python, or `node`."""
    packages: tuple[str, ...]
    """Packages whose versions are shown; the first is the program's own."""
    tool: str = "weather"
    """Question of its tool loop: `weather` for its own tool, `read` or `write` for a file, by a tool that it brings with it."""

    @property
    def settings(self) -> str:
        """Part of its script that points it at the server; docs/clients.md repeats it."""
        return _SETTINGS.findall((SCRIPTS / self.script).read_text("utf-8"))[0].strip()


def _python(title: str, script: str, *packages: str, home: str = "frameworks") -> Program:
    return Program(title, f"{script}.py", home, packages)


def _node(title: str, script: str, *packages: str) -> Program:
    return Program(title, f"{script}.mjs", "node", packages)


def _agent(
    title: str, script: str, package: str, home: str = "node", tool: str = "read"
) -> Program:
    return Program(title, f"{script}.sh", home, (package,), tool)


PROGRAMS = (
    _python("OpenAI SDK (Python)", "openai_python", "openai", home="sdks"),
    _python("Anthropic SDK (Python)", "anthropic_python", "anthropic", home="sdks"),
    _node("OpenAI SDK (Node)", "openai_node", "openai"),
    _node("Anthropic SDK (Node)", "anthropic_node", "@anthropic-ai/sdk"),
    _agent("Claude Code", "claude_code", "@anthropic-ai/claude-code"),
    _agent("Codex CLI", "codex", "@openai/codex"),
    _agent("Codex CLI (own provider)", "codex_openai", "@openai/codex"),
    _agent("opencode", "opencode", "opencode-ai"),
    _agent("Qwen Code", "qwen_code", "@qwen-code/qwen-code"),
    _agent("Cline CLI", "cline", "cline"),
    _agent("aider", "aider", "aider-chat", home="aider", tool="write"),
    _agent("llm", "llm", "llm", home="frameworks", tool="weather"),
    _node(
        "AI SDK", "ai_sdk", "ai", "@ai-sdk/openai", "@ai-sdk/anthropic", "@ai-sdk/openai-compatible"
    ),
    _python("LangChain (OpenAI)", "langchain_chat", "langchain-openai", home="langchain"),
    _python("LangChain (Anthropic)", "langchain_messages", "langchain-anthropic", home="langchain"),
    _python("LlamaIndex", "llamaindex", "llama-index-llms-openai-like", home="llama-index"),
    _python("instructor", "instructor_", "instructor", home="instructor"),
    _python("pydantic-ai", "pydantic_ai_", "pydantic-ai-slim"),
    _python("OpenAI Agents SDK", "openai_agents_python", "openai-agents"),
    _python("DSPy", "dspy_", "dspy", home="litellm"),
    _python("LiteLLM", "litellm_", "litellm", home="litellm"),
    _python("Semantic Kernel", "semantic_kernel_", "semantic-kernel", home="semantic-kernel"),
    _python("Haystack", "haystack_", "haystack-ai"),
)
"""All of them, in the order of the table."""
