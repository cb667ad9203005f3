# Cline's command line, over Chat Completions.

# settings
cline auth --provider openai --baseurl http://127.0.0.1:8787/v1 --apikey none --modelid contemplating

# turns
cline "$QUESTION"
