"""One line of thought: ask the model, use the tools it calls, ask again, until it answers."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import zip_longest

from musespark.content import Message, Request, Text, Thinking, ToolCall, ToolResult
from musespark.errors import BudgetExhausted, EmptyReply, ModelFailed, MuseError
from musespark.events import AnswerDropped, Noted, Pictured, ToolCalled, ToolReturned
from musespark.images import as_png
from musespark.reasoning.agent.conclude import NO_TIME, NO_TIME_FOR_FORM, conclusion_request
from musespark.reasoning.agent.form import in_form
from musespark.reasoning.agent.loop_guard import LoopGuard, ask_for_answer, is_empty
from musespark.reasoning.agent.model_call import call_model, readable
from musespark.reasoning.agent.reply import ModelReply
from musespark.reasoning.agent.task import AgentTask
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.concurrency import is_being_cancelled, wait_cancelled
from musespark.reasoning.consensus.equivalence import answer_in, marked_answer
from musespark.reasoning.consensus.equivalence.refusal import is_refusal
from musespark.reasoning.context import RunContext
from musespark.reasoning.usage_node import UsageNode
from musespark.tools.tool import Tool, ToolOutput, Toolset

TURNS = 16
"""Most replies of one agent; the last one is requested without tools."""
_ONLY_CALLS = f"it called tools in all of its {TURNS} replies and answered nothing"


async def run_task(
    run: RunContext, task: AgentTask, node: UsageNode, *, speak: bool = False
) -> Attempt:
    """Run one agent on its task. With `speak`, its text streams as the run's answer.

    Raises the model's lasting failure, and `BudgetExhausted` if a limit left no room for any reply.
    """
    task = replace(task, request=readable(task.request, task.model))
    held, sets = _by_name(
        [tool(run, task, node) if callable(tool) else tool for tool in task.tools]
    )
    request = task.request
    if held:
        request = replace(request, tools=(*request.tools, *(tool.spec for tool in held.values())))
    theirs = frozenset(tool.name for tool in task.request.tools)
    said: list[Message] = []
    images: list[Pictured] = []
    guard = LoopGuard(held)
    try:
        for turn in range(1, TURNS + 1):
            asked = _next_request(request, task, said, turn)
            for toolset in sets:
                asked = replace(asked, messages=await toolset.prepare_messages(asked.messages))
            if (turn == TURNS or guard.wants_answer) and held:
                asked = replace(
                    asked, tool_choice="none" if task.model.abilities.tool_choice else "auto"
                )
            reply = await call_model(run, node, task.model, asked, speak=speak)
            run.note_prompt(task.request.messages, reply.usage.prompt_tokens)
            images += reply.images
            if is_empty(reply, request) and turn < TURNS and guard.allows_empty():
                run.emit(Noted(task.agent, "Its reply was empty; it is asked once more."))
                said += ask_for_answer(reply)
                continue
            said.append(reply.message)
            own = [one for one in reply.calls if one.name in held or not theirs]
            goes_on = own == list(reply.calls) != [] or _forgets_to_spawn(reply, held, said)
            is_over = turn == TURNS or not goes_on or (reply.cut and node.conclude_because)
            if is_over or not guard.allows(own):
                break
            if speak and run.answer:
                run.emit(AnswerDropped("it works on"))
            if own:
                said.append(guard.remind(own, await _use_tools(run, node, own, held, images)))
            else:
                said.append(_remind(run, task.agent))
    except BudgetExhausted:
        if not node.conclude_because:
            raise
        reply = ModelReply(message=Message("assistant", ()), finish_reason="budget")
    if is_empty(reply, request):
        raise EmptyReply(task.model.name, guard.reason)
    if (
        reply.calls
        and (not theirs or any(one.name in held for one in reply.calls))
        and not (reply.message.text.strip() or reply.cut)
    ):
        raise ModelFailed(task.model.name, guard.reason or _ONLY_CALLS)
    attempt = _attempt(task, reply, said, images, node, theirs, held)
    if node.conclude_because and reply.cut:
        attempt = await _conclude(run, task, node, said, attempt)
    attempt = await in_form(run, task, node, said, attempt, speak=speak)
    return await _verify(run, _classify(attempt, task), task)


def _next_request(request: Request, task: AgentTask, said: list[Message], turn: int) -> Request:
    """The request of a turn: what was said goes with it, and what had to be called has been called in the first one."""
    if said:
        request = replace(request, messages=(*task.request.messages, *said))
    if turn > 1 and request.tool_choice not in ("auto", "none"):
        request = replace(request, tool_choice="auto")
    return request


def _classify(attempt: Attempt, task: AgentTask) -> Attempt:
    """The attempt, marked if it gives no answer or an unclear one. It gets an answer to compare with others in any case."""
    if attempt.calls or not attempt.text.strip():
        return attempt
    is_option = (
        task.asks_for is not None and task.asks_for.kind == "choice" and attempt.answer
    )  # "It cannot be determined"
    if attempt.abstained or (not is_option and is_refusal(attempt.answer or attempt.text)):
        why = attempt.abstained or "its reply gives no answer"
        return replace(attempt, abstained=why, answer=attempt.answer or answer_in(attempt.text))
    if attempt.answer:
        return attempt
    guess = task.asks_for.guess(attempt.text) if task.asks_for is not None else None
    return replace(
        attempt, unclear=True, answer=guess or answer_in(attempt.text), guessed=guess is not None
    )


async def _conclude(
    run: RunContext, task: AgentTask, node: UsageNode, said: list[Message], attempt: Attempt
) -> Attempt:
    """Ask for an answer to the thoughts so far; the attempt stays as it is if that fails.

    Raises the error of the call if nothing was said before it.
    """
    run.emit(Noted(task.agent, f"{node.conclude_because}; it is asked to answer with what it has."))
    asking = NO_TIME_FOR_FORM if task.request.schema or task.asks_for is None else NO_TIME
    try:
        reply = await call_model(
            run, node, task.model, conclusion_request(task.request, task.model, said, asking)
        )
    except (BudgetExhausted, ModelFailed):
        if not attempt.text.strip():
            raise
        return attempt
    text = reply.message.text
    if not text.strip() and attempt.text.strip():
        return attempt
    answer = _answer_in(task, text)
    return replace(
        attempt,
        text=text,
        answer=answer,
        calls=(),
        thoughts=attempt.thoughts + attempt.text,
        transcript=(*attempt.transcript, reply.message),
        usage=node.total,
        answer_tokens=reply.written_tokens,
        concluded=reply.finish_reason == "finished",
    )


def _answer_in(task: AgentTask, text: str) -> str:
    """The part of a reply that is compared with others."""
    return answer_in(text) if task.asks_for is None else task.asks_for.find(text) or ""


def _by_name(made: list[Tool | Toolset]) -> tuple[dict[str, Tool], list[Toolset]]:
    """All tools by name, and the sets among them."""
    sets = [one for one in made if isinstance(one, Toolset)]
    tools = [tool for one in made for tool in (one.tools if isinstance(one, Toolset) else (one,))]
    return {tool.spec.name: tool for tool in tools}, sets


# Announcements that the model itself will start agents. Advice that the user should start some is none.
_ANNOUNCED = re.compile(
    r"(?:(?:\b(?:I|we)(?:['’](?:ll|m|re)| will| shall| am| are)\b|\blet(?: me|['’]s| us)\b)[^.\n]{0,40}"
    r"\b(?:spawn|launch|start|dispatch|delegat|deploy)(?:e|ing|ting)?|(?:^|[.!\n])\W*(?:now )?(?:spawning|launching|starting|"
    r"dispatching|"
    r"delegating|deploying))\b[^.\n]{0,60}\b(?:sub-?agents?|agents|helpers)\b",
    re.I,
)


_REMINDER = Message.user(
    "You said that you would use sub-agents, but you did not call spawn_agents. Call it now, or answer "
    "yourself."
)


def _forgets_to_spawn(reply: ModelReply, held: Mapping[str, Tool], said: list[Message]) -> bool:
    """True if a model that can spawn says that it will, and then does not; it is reminded once."""
    return (
        "spawn_agents" in held
        and reply.finish_reason == "finished"
        and not reply.calls
        and _REMINDER not in said
        and _ANNOUNCED.search(reply.message.text) is not None
        and marked_answer(reply.message.text) is None
    )


def _remind(run: RunContext, agent: str) -> Message:
    run.emit(Noted(agent, "It announced sub-agents and called none; it is asked once again."))
    return _REMINDER


async def _use_tools(
    run: RunContext,
    node: UsageNode,
    calls: list[ToolCall],
    held: Mapping[str, Tool],
    images: list[Pictured],
) -> Message:
    """The tools' results, side by side, in the order of the calls."""
    agent, scope = node.agent, node.scope

    async def use(one: ToolCall) -> ToolResult:
        run.emit(ToolCalled(agent, one.id, one.name, one.arguments))
        output = await run.within_deadline(_call_tool(held, one), scope)
        for image, caption in zip_longest(output.images, output.captions[: len(output.images)]):
            png, width, height = await asyncio.to_thread(as_png, image)
            images.append(
                run.emit(Pictured(agent, png, caption or f"from {one.name}", width, height))
            )
        run.emit(ToolReturned(agent, one.id, output.text, output.failed))
        return ToolResult(one.id, (Text(output.text), *output.images), output.failed)

    tasks = [asyncio.create_task(use(one)) for one in calls]
    try:
        return Message("tool", tuple([await task for task in tasks]))
    finally:
        for task in tasks:
            task.cancel()
        await wait_cancelled(tasks)


async def _call_tool(held: Mapping[str, Tool], one: ToolCall) -> ToolOutput:
    if one.name not in held:
        return ToolOutput(
            f"There is no tool {one.name!r} here; there are: {', '.join(held) or 'none'}.",
            failed=True,
        )
    try:
        arguments = one.parsed()
        if isinstance(arguments, str):  # JSON within JSON
            arguments = json.loads(arguments)
    except ValueError as error:
        return ToolOutput(f"The arguments are not JSON: {error}", failed=True)
    if arguments is None or arguments == []:
        arguments = {}
    if not isinstance(arguments, dict):
        return ToolOutput("The arguments must be a JSON object.", failed=True)
    try:
        return await held[one.name].use(arguments)
    except asyncio.CancelledError:
        if is_being_cancelled():
            raise
        return ToolOutput("The tool cancelled itself.", failed=True)
    except Exception as error:  # whatever a tool does, the model reads it and may do without
        said = str(error) if isinstance(error, MuseError) else f"{type(error).__name__}: {error}"
        return ToolOutput(f"The tool failed: {said}", failed=True)


def _attempt(
    task: AgentTask,
    reply: ModelReply,
    said: list[Message],
    images: list[Pictured],
    node: UsageNode,
    theirs: frozenset[str],
    held: Mapping[str, Tool],
) -> Attempt:
    text = reply.message.text
    thoughts = "".join(
        part.text for message in said for part in message.parts if isinstance(part, Thinking)
    )
    # A tool that is nobody's is the caller's to refuse, if it has tools: it tells the model so, and goes on.
    calls = tuple(one for one in reply.calls if theirs and one.name not in held)
    return Attempt(
        agent=task.agent,
        model=task.model.name,
        text=text,
        answer=_answer_in(task, text),
        calls=calls,
        thoughts=thoughts,
        transcript=tuple(said),
        images=tuple(images),
        usage=node.total,
        answer_tokens=reply.written_tokens,
        verified=reply.verified,
        verified_by=reply.verified_by,
        abstained=reply.abstained,
        finish_reason=reply.finish_reason,
        detail=reply.detail,
        stop=reply.stop,
        by=task.model,
    )


async def _verify(run: RunContext, attempt: Attempt, task: AgentTask) -> Attempt:
    """The attempt with the verdict of the task's verifier; unchecked if that fails."""
    if task.verify is None or attempt.verified is not None:
        return attempt
    try:
        verified = await run.within_deadline(task.verify(attempt))
    except BudgetExhausted:
        raise
    except Exception as error:
        run.emit(
            Noted(task.agent, f"Its answer could not be verified: {type(error).__name__}: {error}")
        )
        return attempt
    return replace(attempt, verified=verified, verified_by="a verifier of the caller")
