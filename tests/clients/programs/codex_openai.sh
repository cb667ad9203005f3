# Codex CLI with its own provider for OpenAI, which compacts conversations on the server.

# settings
export OPENAI_BASE_URL=http://127.0.0.1:8787/v1
export CODEX_API_KEY=none

# turns
codex exec --model contemplating --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox "$QUESTION"
