# Codex CLI, over Responses.

# settings
mkdir -p ~/.codex
cat > ~/.codex/config.toml <<'END'
model = "contemplating"
model_provider = "muse"

[model_providers.muse]
name = "muse"
base_url = "http://127.0.0.1:8787/v1"
env_key = "MUSE_KEY"
END
export MUSE_KEY=none

# turns
codex exec --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox "$QUESTION"
