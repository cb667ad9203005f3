# llm, with its OpenAI models and a tool in Python.

# settings
cat > "$(dirname "$(llm logs path)")/extra-openai-models.yaml" <<'END'
- model_id: muse
  model_name: contemplating
  api_base: http://127.0.0.1:8787/v1
  supports_tools: true
  supports_schema: true
END

# turns
cat > weather.py <<'END'
import os

def weather(city: str) -> str:
    """The weather of a city."""
    return f"In {city} it is {os.environ['SECRET']}."
END
[ "$TURN" = text ] || tools="--functions weather.py"
llm --model muse --key none ${tools:-} "$QUESTION"
