"""One line of thought: ask the model, use the tools it calls, ask again, until it answers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from musespark.content import Message, Request, Text, Thinking, ToolCall, ToolResult
from musespark.errors import BudgetExhausted, ModelFailed, MuseError
from musespark.events import AnswerDropped, Noted, Pictured, ToolCalled, ToolReturned
from musespark.images import as_png
from musespark.models.model import Model
from musespark.reasoning.account import Account
from musespark.reasoning.answer_format import AnswerFormat
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.calling import Reply, call, readable
from musespark.reasoning.conclude import NO_TIME, NO_TIME_FOR_FORM, conclusion
from musespark.reasoning.equivalence import answer_in, marked_answer
from musespark.reasoning.equivalence.refusal import is_refusal
from musespark.reasoning.run import Run, being_cancelled, gone
from musespark.tools.tool import Tool, ToolOutput, Toolset

TURNS = 16
"""Replies of one agent; the last one is asked for without tools."""

ToolMaker = Callable[[Run, "Brief", Account], Tool | Toolset]
"""Makes a tool, or several, for one agent: they may need to know who uses them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What an agent is sent to do."""

    agent: str
    model: Model
    request: Request
    """The conversation and how to answer it; the agent's tools are added to those of the one who asks."""
    task: str = ""
    """What a person who watches is told."""
    tools: tuple[Tool | ToolMaker, ...] = ()
    depth: int = 0
    """How many agents sent one another before this one."""
    parent: str = "main"
    verify: Callable[[Attempt], Awaitable[bool | None]] | None = field(default=None, repr=False)
    """Something that knows whether an answer is right."""
    asks_for: AnswerFormat | None = None
    """The short answer that the question asks for, to be found in the reply; None: what the reply itself marks as its answer."""
    concludes: bool = False
    """True if the agent may be asked to answer with what it has, where time ends or its model falls silent."""


async def think(run: Run, brief: Brief, account: Account, *, speak: bool = False) -> Attempt:
    """Send an agent; with `speak` what it writes is the run's answer.

    Raises what its model raises for good, and BudgetExhausted where a limit left no time to say anything.
    """
    brief = replace(brief, request=readable(brief.request, brief.model))
    held, sets = _held([tool(run, brief, account) if callable(tool) else tool for tool in brief.tools])
    request = brief.request
    if held:
        request = replace(request, tools=(*request.tools, *(tool.spec for tool in held.values())))
    theirs = frozenset(tool.name for tool in brief.request.tools)
    said: list[Message] = []
    images: list[Pictured] = []
    try:
        for turn in range(1, TURNS + 1):
            asked = replace(request, messages=(*brief.request.messages, *said)) if said else request
            for toolset in sets:
                asked = replace(asked, messages=await toolset.prepare_messages(asked.messages))
            if turn > 1 and request.tool_choice not in ("auto", "none"):
                asked = replace(asked, tool_choice="auto")  # what had to be called has been
            if turn == TURNS and held:
                asked = replace(asked, tool_choice="none" if brief.model.abilities.tool_choice else "auto")
            reply = await call(run, account, brief.model, asked, speak=speak)
            images += reply.images
            said.append(reply.message)
            own = [one for one in reply.calls if one.name not in theirs]
            goes_on = own == list(reply.calls) != [] or _announces(reply, held, said)
            if turn == TURNS or not goes_on or (reply.cut and account.conclude_because):
                break
            if speak and run.answer:
                run.emit(AnswerDropped("it works on"))
            said.append(await _used(run, account, own, held, images) if own else _reminded(run, brief.agent))
    except BudgetExhausted:
        if not account.conclude_because:
            raise
        reply = Reply(message=Message("assistant", ()), why="budget")
    if reply.calls and not theirs.issuperset(one.name for one in reply.calls) and not (reply.message.text.strip() or reply.cut):
        raise ModelFailed(brief.model.name, f"it called tools in all of its {TURNS} replies and answered nothing")
    attempt = _attempt(brief, reply, said, images, account, theirs)
    if account.conclude_because and reply.cut:
        attempt = await _concluded(run, brief, account, said, attempt)
    return await _checked(run, _classified(attempt, brief), brief)


def _classified(attempt: Attempt, brief: Brief) -> Attempt:
    """The attempt, marked where it gives no answer, or none that can be told; something is compared with others in any case."""
    if attempt.calls or not attempt.text.strip():
        return attempt
    is_option = brief.asks_for is not None and brief.asks_for.kind == "choice" and attempt.answer  # "It cannot be determined"
    if attempt.abstained or (not is_option and is_refusal(attempt.answer or attempt.text)):
        why = attempt.abstained or "its reply gives no answer"
        return replace(attempt, abstained=why, answer=attempt.answer or answer_in(attempt.text))
    if attempt.answer:
        return attempt
    guess = brief.asks_for.guess(attempt.text) if brief.asks_for is not None else None
    return replace(attempt, unclear=True, answer=guess or answer_in(attempt.text), guessed=guess is not None)


async def _concluded(run: Run, brief: Brief, account: Account, said: list[Message], attempt: Attempt) -> Attempt:
    """The attempt with the answer that its agent gives to what it has thought so far; as it is where that fails.

    Raises what the call raises where nothing was said before it.
    """
    run.emit(Noted(brief.agent, f"{account.conclude_because}; it is asked to answer with what it has."))
    asking = NO_TIME_FOR_FORM if brief.request.schema or brief.asks_for is None else NO_TIME
    try:
        reply = await call(run, account, brief.model, conclusion(brief.request, brief.model, said, asking))
    except (BudgetExhausted, ModelFailed):
        if not attempt.text.strip():
            raise
        return attempt
    text = reply.message.text
    if not text.strip() and attempt.text.strip():
        return attempt
    answer = _answer_in(brief, text)
    return replace(attempt, text=text, answer=answer, calls=(), thoughts=attempt.thoughts + attempt.text,
                   transcript=(*attempt.transcript, reply.message), usage=account.total, concluded=reply.why == "finished")


def _answer_in(brief: Brief, text: str) -> str:
    """The part of a reply that is compared with others."""
    return answer_in(text) if brief.asks_for is None else brief.asks_for.find(text) or ""


def _held(made: list[Tool | Toolset]) -> tuple[dict[str, Tool], list[Toolset]]:
    """All tools by name, and the sets among them."""
    sets = [one for one in made if isinstance(one, Toolset)]
    tools = [tool for one in made for tool in (one.tools if isinstance(one, Toolset) else (one,))]
    return {tool.spec.name: tool for tool in tools}, sets


# What the model says that it itself will do, or is doing; that somebody should start agents is advice.
_ANNOUNCED = re.compile(
    r"(?:(?:\b(?:I|we)(?:['’](?:ll|m|re)| will| shall| am| are)\b|\blet(?: me|['’]s| us)\b)[^.\n]{0,40}"
    r"\b(?:spawn|launch|start|dispatch|delegat|deploy)(?:e|ing|ting)?|(?:^|[.!\n])\W*(?:now )?(?:spawning|launching|starting|"
    r"dispatching|"
    r"delegating|deploying))\b[^.\n]{0,60}\b(?:sub-?agents?|agents|helpers)\b", re.I)


_REMINDER = Message.user("You said that you would use sub-agents, but you did not call spawn_agents. Call it now, or answer "
                         "yourself.")


def _announces(reply: Reply, held: Mapping[str, Tool], said: list[Message]) -> bool:
    """Whether a model that can spawn says that it will, and then does not; it is reminded once."""
    able = "spawn_agents" in held and reply.why == "finished" and not reply.calls
    answered = marked_answer(reply.message.text) is not None
    return able and not answered and _REMINDER not in said and bool(_ANNOUNCED.search(reply.message.text))


def _reminded(run: Run, agent: str) -> Message:
    run.emit(Noted(agent, "It announced sub-agents and called none; it is asked once again."))
    return _REMINDER


async def _used(run: Run, account: Account, calls: list[ToolCall], held: Mapping[str, Tool], images: list[Pictured]) -> Message:
    """The tools' results, side by side, in the order of the calls."""
    agent, scope = account.agent, account.scope

    async def use(one: ToolCall) -> ToolResult:
        run.emit(ToolCalled(agent, one.id, one.name, one.arguments))
        output = await run.in_time(_output(held, one), scope)
        for image, caption in zip_longest(output.images, output.captions[:len(output.images)]):
            png, width, height = await asyncio.to_thread(as_png, image)
            images.append(run.emit(Pictured(agent, png, caption or f"from {one.name}", width, height)))
        run.emit(ToolReturned(agent, one.id, output.text, output.failed))
        return ToolResult(one.id, (Text(output.text), *output.images), output.failed)

    tasks = [asyncio.create_task(use(one)) for one in calls]
    try:
        return Message("tool", tuple([await task for task in tasks]))
    finally:
        for task in tasks:
            task.cancel()
        await gone(tasks)


async def _output(held: Mapping[str, Tool], one: ToolCall) -> ToolOutput:
    if one.name not in held:
        return ToolOutput(f"There is no tool {one.name!r} here; there are: {', '.join(held) or 'none'}.", failed=True)
    try:
        arguments = one.parsed()
    except ValueError as error:
        return ToolOutput(f"The arguments are not JSON: {error}", failed=True)
    if not isinstance(arguments, dict):
        return ToolOutput("The arguments must be a JSON object.", failed=True)
    try:
        return await held[one.name].use(arguments)
    except asyncio.CancelledError:
        if being_cancelled():
            raise
        return ToolOutput("The tool cancelled itself.", failed=True)
    except Exception as error:  # whatever a tool does, the model reads it and may do without
        said = str(error) if isinstance(error, MuseError) else f"{type(error).__name__}: {error}"
        return ToolOutput(f"The tool failed: {said}", failed=True)


def _attempt(brief: Brief, reply: Reply, said: list[Message], images: list[Pictured], account: Account,
             theirs: frozenset[str]) -> Attempt:
    text = reply.message.text
    thoughts = "".join(part.text for message in said for part in message.parts if isinstance(part, Thinking))
    calls = tuple(one for one in reply.calls if one.name in theirs)
    return Attempt(agent=brief.agent, model=brief.model.name, text=text, answer=_answer_in(brief, text), calls=calls,
                   thoughts=thoughts, transcript=tuple(said), images=tuple(images), usage=account.total,
                   verified=reply.verified, verified_by=reply.verified_by, abstained=reply.abstained,
                   why=reply.why, reason=reply.reason, stop=reply.stop, by=brief.model)


async def _checked(run: Run, attempt: Attempt, brief: Brief) -> Attempt:
    """The attempt with what the one who asks knows about it; where that fails, nothing is known."""
    if brief.verify is None or attempt.verified is not None:
        return attempt
    try:
        verified = await run.in_time(brief.verify(attempt))
    except BudgetExhausted:
        raise
    except Exception as error:
        run.emit(Noted(brief.agent, f"Its answer could not be verified: {type(error).__name__}: {error}"))
        return attempt
    return replace(attempt, verified=verified, verified_by="a verifier of the one who asks")
