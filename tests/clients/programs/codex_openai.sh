# Codex CLI, with the provider for OpenAI that it brings with it.

# settings
mkdir -p ~/.codex
cat > ~/.codex/config.toml <<'END'
model = "contemplating"
openai_base_url = "http://127.0.0.1:8787/v1"
END
export CODEX_API_KEY=none

# turns
codex exec --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox "$QUESTION"
