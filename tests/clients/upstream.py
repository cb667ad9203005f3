"""A scripted model behind `muse serve`: an OpenAI-compatible server on loopback that uses whichever of the offered tools fits.

    python tests/clients/upstream.py 9940

It obeys the words of the question. "Say WORD" is answered with that word, "read FILE" and "weather in CITY" with a call of the tool
that can do that, and then with the text of the tool's result; whoever wants JSON gets an object that fits the schema.
To embed "Count N" takes N tokens, as it says.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "scripted"
PERSON = {"name": "Ada", "age": 36}
"""Values of an object's fields, by their names."""
_SHELLS = ("bash", "shell", "exec", "command", "terminal")
_READERS = ("read",)


def answer(body: Mapping[str, Any]) -> dict[str, Any]:
    """Reply to a request: `content`, or `tool_calls`."""
    messages, tools = body["messages"], body.get("tools") or []
    last = [each for each in messages if each["role"] in ("user", "tool")][-1]
    if last["role"] == "tool":
        text = _text(last["content"])
        finish = _finisher(tools)
        if finish is not None and body.get("tool_choice") == "required":
            return _call(finish, _instance(finish["parameters"], {"result": text}))
        return {"content": _shaped(body, text)}
    asked = _text(last["content"])
    if body.get("tool_choice", "auto") != "none" and (call := _fitting_call(asked, tools, body)):
        return call
    said = re.findall(r"\bSay (\w+)", asked)
    return {"content": _shaped(body, f"{said[-1]}" if said else "Nothing was asked.")}


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in content or ())


def _fitting_call(
    asked: str, tools: list[dict[str, Any]], body: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Call the tool that the question needs; None if it needs none, or none is offered that fits."""
    offered = [tool["function"] for tool in tools if tool["type"] == "function"]
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        offered = [tool for tool in offered if tool["name"] == choice["function"]["name"]]
        return _call(offered[0], _instance(offered[0]["parameters"], PERSON)) if offered else None
    city, file = re.search(r"weather in (\w+)", asked), re.search(r"read (/\S+)", asked)
    known: dict[str, Any] = {}
    names: tuple[str, ...] = ()
    if city:
        known, names = {"city": city[1]}, ("weather",)
    elif "Who is that?" in asked:
        known, names = PERSON, ("person",)
    elif file:
        path = file[1].rstrip(".")
        known = {word: path for word in ("file_path", "filePath", "absolute_path", "path", "paths")}
        known |= {word: f"cat {path}" for word in ("command", "commands", "cmd", "script")}
        names = (*_SHELLS, *_READERS)
    for name in names:
        for tool in offered:
            if name in tool["name"].lower() and _is_able(tool, known):
                return _call(tool, _instance(tool["parameters"], known))
    if choice == "required" and offered:
        return _call(offered[0], _instance(offered[0]["parameters"], PERSON))
    return None


def _is_able(tool: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    return bool(set(known) & set(tool["parameters"].get("properties", {})))


def _finisher(tools: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Find the tool that ends an agent's work where a program has one."""
    names = ("attempt_completion", "final_result", "submit_and_exit", "finish")
    return next((tool["function"] for tool in tools if tool["function"]["name"] in names), None)


def _call(tool: Mapping[str, Any], arguments: Any) -> dict[str, Any]:
    function = {"name": tool["name"], "arguments": json.dumps(arguments)}
    return {
        "content": None,
        "tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": function}],
    }


def _shaped(body: Mapping[str, Any], text: str) -> str:
    """Put an answer into the form that is wanted."""
    prompt = "\n".join(_text(message.get("content")) for message in body["messages"])
    if edit := re.search(r"Please write (.+) into (\S+)\.$", prompt, re.M):
        return f"{edit[2]}\n```\n{edit[1]}\n```\n"
    wanted = body.get("response_format") or {}
    known = _fields(prompt, text) or PERSON
    if wanted.get("type") == "json_schema":
        return json.dumps(_instance(wanted["json_schema"]["schema"], known) or known)
    is_asked = known is not PERSON or "Who is that?" in prompt
    if wanted.get("type") == "json_object" or (is_asked and re.search(r"\bJSON\b", prompt)):
        return json.dumps(known)
    if "[[ ## " in prompt:
        lines = [f"[[ ## {name} ## ]]\n{_plain(value)}\n" for name, value in known.items()]
        return "\n".join([*lines, "[[ ## completed ## ]]"])
    return text


def _fields(prompt: str, text: str) -> dict[str, Any]:
    """Fill the fields that DSPy asks for in words, in their order: those of an agent's step call the tool, then finish."""
    asked = re.findall(r"^Respond with .*$", prompt, re.M)
    names = re.findall(r"`(?:\[\[ ## )?(\w+)", asked[-1]) if asked else []
    seen = re.findall(r"In \w+ it is code \w+\.", prompt)
    values = {
        "answer": seen[-1] if seen else text,
        "next_tool_name": "finish" if seen else "weather",
        "next_tool_args": {} if seen else {"city": "Paris"},
    }
    return {name: values.get(name, "Hm.") for name in names if name != "completed"}


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _instance(schema: Mapping[str, Any], known: Mapping[str, Any], name: str = "") -> Any:
    """Make a value that fits a schema, from what is known by the fields' names; optional fields that are not known are left out."""
    return _Instances(schema).make(schema, known, name)


class _Instances:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._definitions = {**root.get("$defs", {}), **root.get("definitions", {})}

    def make(self, schema: Mapping[str, Any], known: Mapping[str, Any], name: str) -> Any:
        if "$ref" in schema:
            return self.make(self._definitions[schema["$ref"].rpartition("/")[2]], known, name)
        if "const" in schema or "enum" in schema:
            return schema.get("const", (schema.get("enum") or [None])[0])
        for several in ("anyOf", "oneOf", "allOf"):
            if several in schema:
                return self.make(schema[several][0], known, name)
        kind = schema.get("type", "object" if "properties" in schema else "string")
        kind = kind[0] if isinstance(kind, list) else kind
        value = known.get(name)
        if kind == "object":
            fields = schema.get("properties", {})
            wanted = [field for field in fields if field in schema.get("required", [])]
            wanted += [field for field in fields if field in known and field not in wanted]
            return {field: self.make(fields[field], known, field) for field in wanted or fields}
        if kind == "array":
            inner = schema.get("items", {})
            if isinstance(value, str) and name == "command":
                return ["bash", "-c", value]
            is_plain = value is None and "$ref" not in inner and inner.get("type") != "object"
            return [] if is_plain else [self.make(inner, known, name)]
        if kind in ("integer", "number"):
            return value if isinstance(value, int) else 1
        if kind == "boolean":
            return False
        return value if isinstance(value, str) else name or "text"


def chunks(body: Mapping[str, Any], reply: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Write a reply as the chunks of a stream."""
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}

    def chunk(delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    yield chunk({"role": "assistant", **reply})
    yield chunk({}, "tool_calls" if reply.get("tool_calls") else "stop")
    yield {**head, "choices": [], "usage": USAGE}


USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer a completion, or embed texts."""
        size = int(self.headers["content-length"])
        raw = self.rfile.read(size)
        if len(raw) < size:  # the client has left
            raise ConnectionResetError
        body = json.loads(raw)
        if self.path.endswith("/embeddings"):
            self._send(_embeddings(body))
            return
        reply = answer(body)
        if body.get("stream"):
            lines = [f"data: {json.dumps(each)}\n\n" for each in chunks(body, reply)]
            self._write("".join([*lines, "data: [DONE]\n\n"]), "text/event-stream")
            return
        finish = "tool_calls" if reply.get("tool_calls") else "stop"
        choice = {
            "index": 0,
            "message": {"role": "assistant", **reply},
            "finish_reason": finish,
        }
        head = {"id": "c1", "object": "chat.completion", "created": 1, "model": body["model"]}
        self._send({**head, "choices": [choice], "usage": USAGE})

    def _send(self, value: Any) -> None:
        self._write(json.dumps(value), "application/json")

    def _write(self, text: str, kind: str) -> None:
        data = text.encode()
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def _embeddings(body: Mapping[str, Any]) -> dict[str, Any]:
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    data = [
        {"object": "embedding", "index": index, "embedding": [float(len(text)), 1.0]}
        for index, text in enumerate(texts)
    ]
    counted = re.match(r"Count (.+)", texts[0])
    total = json.loads(counted[1]) if counted else len(texts)
    usage = {"prompt_tokens": len(texts), "total_tokens": total}
    return {"object": "list", "model": body["model"], "data": data, "usage": usage}


class Server(ThreadingHTTPServer):
    """A thread for each connection; those that a client breaks off are no errors."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report errors other than broken connections."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def upstream(port: int = 0) -> Iterator[str]:
    """The address of the scripted model's server, while it runs."""
    server = Server(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    with upstream(int(sys.argv[1])) as address:
        print(address, flush=True)
        threading.Event().wait()
