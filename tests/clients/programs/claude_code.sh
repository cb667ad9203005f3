# Claude Code, over Messages.

# settings
export ANTHROPIC_BASE_URL=http://127.0.0.1:8787
export ANTHROPIC_AUTH_TOKEN=none
export ANTHROPIC_MODEL=contemplating
export ANTHROPIC_DEFAULT_HAIKU_MODEL=contemplating

# turns
claude --print --allowedTools Read Bash -- "$QUESTION"
