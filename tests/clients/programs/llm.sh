# llm, with its OpenAI models and a tool in Python.

# settings
mkdir -p "$(dirname "$(llm logs path)")"
cat > "$(dirname "$(llm logs path)")/extra-openai-models.yaml" <<'END'
- model_id: muse
  model_name: contemplating
  api_base: http://127.0.0.1:8787/v1
  supports_tools: true
  supports_schema: true
END

# turns
llm --model muse --key none ${FUNCTIONS:+--functions "$FUNCTIONS"} "$QUESTION"
