# opencode, with its provider for servers that speak OpenAI's protocol.

# settings
mkdir -p ~/.config/opencode
cat > ~/.config/opencode/opencode.json <<'END'
{
  "model": "muse/contemplating",
  "provider": {
    "muse": {
      "npm": "@ai-sdk/openai-compatible",
      "options": { "baseURL": "http://127.0.0.1:8787/v1", "apiKey": "none" },
      "models": { "contemplating": {} }
    }
  }
}
END

# turns
opencode run "$QUESTION"
