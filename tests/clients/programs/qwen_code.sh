# Qwen Code, over Chat Completions.

# settings
export OPENAI_BASE_URL=http://127.0.0.1:8787/v1
export OPENAI_API_KEY=none
export OPENAI_MODEL=contemplating

# turns
qwen --yolo --prompt "$QUESTION"
