"""The door for programs: three protocols that every client already speaks, over the one stream of events.

    app.py         `make_app`: the routes
    shared.py      what the routes share: who asks, what is allowed, who is being answered
    chat.py        OpenAI's Chat Completions: a body in, chunks out; pure, as the next two
    responses.py   OpenAI's Responses
    messages.py    Anthropic's Messages
    *_body.py      what each of them accepts, field by field
    dialect.py     what the three have in common
    asked.py       what a client asked, in no protocol's words
    seating.py     who answers it: names of models, efforts and options become a model or a team
    telling.py     events as pieces of a reply; progress.py says them in a line, breakdown.py adds up what was spent
    answering.py   one run on its way to one client, until either of them ends
    runs.py        where runs are kept
    body.py        bytes from outside as a checked body; remote_images.py, schema.py, timely.py and failures.py likewise

The page at `/` and what is behind it (docs/page.md):

    static.py      its files, and what a browser may do with them; origin.py refuses other sites' pages
    offer.py       what its form needs to know
    page_body.py   what it asks; steering.py starts, stops and deletes runs for it
    watching.py    runs as they are watched, live or kept; pictures.py and export.py, what is taken from them

FastAPI and uvicorn are imported by `make_app` and by `muse serve` alone.
"""
