"""HTTP server: OpenAI's and Anthropic's protocols over the package's one stream of events, and the page.

    app.py             `make_app`: routes, middleware and error handlers
    state.py           what the routes share: settings, authentication, runs in progress
    auth.py            API keys: the caller of a request and its budget
    errors.py          errors as an HTTP status and a code
    disclosure.py      texts for clients that are not the operator
    metrics.py         Prometheus metrics
    request_log.py     one line of JSON for each request
    openapi.py         the OpenAPI document
    routes_models.py   /health, /metrics and /v1/models
    routes_embeddings.py  /v1/embeddings, passed on
    responses_socket.py  Responses over a WebSocket
    request_context.py  what a request refers to: stored items, earlier turns, images
    http/              reading and checking requests, and streaming: bodies, hosts, schemas, remote images
    protocols/         Chat Completions, Responses, Messages and Completions: a body in, events out
    resolve/           a parsed request becomes the model or team that solves it
    runs/              runs in progress and stored: sessions, responses, watching, routes
    page/              the page at `/`: its files, its form, its request body (docs/page.md)

FastAPI and uvicorn are imported by `make_app` and by `muse serve` alone.
"""
