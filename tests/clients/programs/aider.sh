# aider, over Chat Completions. It edits files by texts and not by tools.

# settings
export OPENAI_API_BASE=http://127.0.0.1:8787/v1
export OPENAI_API_KEY=none
export AIDER_MODEL=openai/contemplating

# turns
aider --yes-always --no-git --no-show-model-warnings --no-check-update --analytics-disable \
    --no-pretty --edit-format whole --message "$QUESTION"
[ "$TURN" = text ] || cat found.txt
