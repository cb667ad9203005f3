"""Runs become spans with the attributes that the conventions name; without a collector nothing is imported."""

import subprocess
import sys
from contextlib import aclosing

import pytest

from musespark import telemetry
from musespark.config import Config, TelemetryConfig, check_config, load_config
from musespark.content import Mode, Request, ToolCall, ToolSpec
from musespark.events import (
    MAIN,
    AgentReturned,
    AgentStarted,
    RunEnded,
    RunStarted,
    Spent,
    StageStarted,
)
from musespark.models.fake import FakeModel
from musespark.models.model import Abilities, Finish, TextDelta, ToolCallDelta, UsageDelta
from musespark.reasoning.modes import run
from musespark.reasoning.team.team import Team
from musespark.tools.tool import ToolOutput
from musespark.usage import Usage

trace = pytest.importorskip("opentelemetry.sdk.trace")
export = pytest.importorskip("opentelemetry.sdk.trace.export")
memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")

ABLE = Abilities(conversation=True, tools=True, context=100_000)


class Spans:
    """A tracer whose finished spans are kept in memory."""

    def __init__(self) -> None:
        self.exporter = memory.InMemorySpanExporter()
        provider = trace.TracerProvider()
        provider.add_span_processor(export.SimpleSpanProcessor(self.exporter))
        self.tracer = provider.get_tracer("test")

    def __getitem__(self, name):
        """The only span of that name."""
        (found,) = [span for span in self.finished if span.name == name]
        return found

    @property
    def finished(self):
        return self.exporter.get_finished_spans()

    @property
    def names(self):
        return [span.name for span in self.finished]

    def parent(self, name):
        """The name of a span's parent; None at the top."""
        above = self[name].parent
        return next(
            (
                span.name
                for span in self.finished
                if above and span.context.span_id == above.span_id
            ),
            None,
        )


@pytest.fixture
def spans():
    return Spans()


class Weather:
    spec = ToolSpec.of(
        "weather",
        "The weather in a city.",
        {"type": "object", "properties": {"city": {"type": "string"}}},
    )

    async def use(self, arguments):
        return ToolOutput("Rain.", failed=arguments.get("city") == "nowhere")


def script(request, number):
    used = UsageDelta(Usage(tokens=30, prompt_tokens=20, critical_path=10, usd=0.5, calls=1))
    if any(message.role == "tool" for message in request.messages):
        return [TextDelta("Answer: wet"), used, Finish()]
    return [ToolCallDelta(ToolCall("c1", "weather", '{"city": "Paris"}')), used, Finish()]


async def recorded(spans, model, content=False, mode=Mode.THINKING):
    recorder = telemetry.SpanRecorder(spans.tracer, content=content)
    return [
        event
        async for event in telemetry.with_spans(
            run(
                model if isinstance(model, Team) else Team.of(model),
                Request.of("How is Paris?", mode=mode),
            ),
            recorder,
        )
    ]


async def test_an_agent_its_calls_and_its_tools(spans):
    model = FakeModel(script, name="openai:gpt-5", abilities=ABLE)
    events = await recorded(spans, Team(explorers=(model,), tools=(Weather(),)))
    assert isinstance(events[-1], RunEnded)
    assert sorted(spans.names) == [
        "chat gpt-5",
        "chat gpt-5",
        "execute_tool weather",
        "invoke_agent main",
        "invoke_workflow thinking",
    ]
    assert spans.parent("execute_tool weather") == "invoke_agent main"
    assert spans.parent("invoke_agent main") == "invoke_workflow thinking"
    for call in (span for span in spans.finished if span.name == "chat gpt-5"):
        assert call.attributes["gen_ai.operation.name"] == "chat"
        assert (
            call.attributes["gen_ai.provider.name"] == "openai"
            and call.attributes["gen_ai.request.model"] == "gpt-5"
        )
        assert (
            call.attributes["gen_ai.usage.input_tokens"],
            call.attributes["gen_ai.usage.output_tokens"],
        ) == (20, 10)
        assert call.attributes[telemetry.COST] == 0.5 and call.kind.name == "CLIENT"
        assert (
            spans["invoke_agent main"].start_time
            <= call.start_time
            <= call.end_time
            <= spans["invoke_agent main"].end_time
        )
    tool = spans["execute_tool weather"]
    assert (
        tool.attributes["gen_ai.tool.name"] == "weather"
        and tool.attributes["gen_ai.tool.call.id"] == "c1"
    )
    whole = spans["invoke_workflow thinking"].attributes
    assert (
        whole["gen_ai.usage.input_tokens"],
        whole["gen_ai.usage.output_tokens"],
        whole[telemetry.COST],
    ) == (40, 20, 1.0)
    assert (
        whole["muse.calls"] == 2
        and whole["muse.finish_reason"] == "finished"
        and whole["muse.run.id"] == events[0].run
    )


@pytest.mark.parametrize("content", [False, True])
async def test_what_people_ask_is_left_out_unless_asked_for(spans, content):
    await recorded(
        spans, Team(explorers=(FakeModel(script, abilities=ABLE),), tools=(Weather(),)), content
    )
    values = " ".join(
        str(value) for span in spans.finished for value in (span.attributes or {}).values()
    )
    assert all(
        (secret in values) is content
        for secret in ("How is Paris?", "Rain.", '"city"', "Answer: wet")
    )


async def test_a_team_has_its_stages_with_its_agents_below_them(spans):
    models = [
        FakeModel(
            [
                TextDelta("Answer: 42"),
                UsageDelta(Usage(tokens=5, prompt_tokens=2, calls=1)),
                Finish(),
            ],
            name=f"fake:{name}",
            abilities=ABLE,
        )
        for name in "ab"
    ]
    await recorded(spans, Team(explorers=tuple(models), agents=2), mode=Mode.CONTEMPLATING)
    assert spans.parent("stage explore") == "invoke_agent main"
    assert (
        spans.parent("invoke_agent agent-1")
        == spans.parent("invoke_agent agent-2")
        == "stage explore"
    )
    assert (
        spans.parent("chat a") == "invoke_agent agent-1"
        and spans.parent("chat b") == "invoke_agent agent-2"
    )
    assert (
        "gen_ai.request.model" not in spans["invoke_workflow contemplating"].attributes
    )  # two models


async def test_failures_are_marked_with_their_type(spans):
    with pytest.raises(Exception, match="the script says so"):
        await recorded(spans, FakeModel("error"), mode=Mode.CONTEMPLATING)
    span = spans["invoke_workflow contemplating"]
    assert not span.status.is_ok and span.attributes["error.type"] == "ModelFailed"


async def test_a_stream_that_is_closed_early_leaves_no_span_open(spans):
    recorder = telemetry.SpanRecorder(spans.tracer)
    async with aclosing(
        telemetry.with_spans(run(Team.of(FakeModel("hang")), Request.of("?")), recorder)
    ) as events:
        async for event in events:
            if isinstance(event, AgentStarted) and event.agent == "b":
                break
    assert {
        "invoke_workflow contemplating",
        "invoke_agent main",
        "invoke_agent a",
        "invoke_agent b",
    } == set(spans.names)
    assert spans["invoke_workflow contemplating"].attributes["muse.outcome"] == "cancelled"


async def test_a_fault_of_the_recorder_is_logged_and_the_run_goes_on(spans, caplog, monkeypatch):
    monkeypatch.setattr(telemetry.SpanRecorder, "_spend", lambda self, event: 1 / 0)
    events = await recorded(spans, FakeModel("answer"))
    assert isinstance(events[-1], RunEnded) and "ZeroDivisionError" in caplog.text


def test_a_call_that_was_tried_again_is_two_spans(spans):
    recorder = telemetry.SpanRecorder(spans.tracer)
    recorder.record(
        [
            RunStarted("r", Mode.THINKING, "nano", "?", at=0.0),
            AgentStarted(MAIN, None, "?", at=0.0),
            Spent(MAIN, Usage(tokens=1, calls=1), at=1.0),
            Spent(MAIN, Usage(tokens=4, calls=2), at=3.0),
            Spent(MAIN, Usage(tokens=9, calls=2), at=4.0),
            AgentReturned(MAIN, "x", at=5.0),
        ]
    )
    recorder.close()
    calls = [span for span in spans.finished if span.name == "chat nano"]
    assert [span.attributes["gen_ai.usage.output_tokens"] for span in calls] == [1, 8]
    assert [(span.end_time - span.start_time) / 1e9 for span in calls] == [1.0, 3.0]


def test_what_a_child_used_is_not_its_parents_own(spans):
    recorder = telemetry.SpanRecorder(spans.tracer)
    recorder.record(
        [
            RunStarted("r", Mode.CONTEMPLATING, "a + b", "?"),
            AgentStarted(MAIN, None, "?"),
            StageStarted("explore"),
            AgentStarted("agent-1", MAIN, "t", "openai:a"),
            Spent("agent-1", Usage(tokens=7, calls=1)),
            Spent(MAIN, Usage(tokens=7, calls=1)),
            AgentReturned("agent-1", "x"),
            Spent(MAIN, Usage(tokens=9, calls=2)),
            AgentReturned(MAIN, "x"),
        ]
    )
    recorder.close()
    assert [
        span.attributes["gen_ai.usage.output_tokens"]
        for span in spans.finished
        if span.name.startswith("chat")
    ] == [7, 2]
    assert spans["invoke_agent main"].attributes["gen_ai.usage.output_tokens"] == 9


@pytest.mark.parametrize(
    ("variables", "endpoint", "on"),
    [
        ({}, None, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, None, True),
        ({}, "http://127.0.0.1:1", True),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
            None,
            False,
        ),
    ],
)
def test_it_is_off_unless_a_collector_is_named(monkeypatch, variables, endpoint, on):
    for variable in (*telemetry.ENDPOINTS, "OTEL_SDK_DISABLED"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr("musespark.telemetry.start._tracer", lambda named: Spans().tracer)
    assert (telemetry.start_recorder(endpoint) is not None) is on


def test_the_configuration_names_the_collector(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text('[telemetry]\nendpoint = "http://127.0.0.1:4318"\n')
    assert load_config(path) == Config(
        path=path, telemetry=TelemetryConfig(endpoint="http://127.0.0.1:4318")
    )
    path.write_text("[telemetry]\nendpoint = 4318\n")
    assert "http://" in str(check_config(path)[0])


def test_while_it_is_off_nothing_of_it_is_imported():
    code = (
        "import sys, musespark; musespark.ask_sync('?', model='fake:team');"
        "print(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
