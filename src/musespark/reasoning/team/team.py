"""Many lines of thought on one question: explore, refine, aggregate.

A `Team` is a value made of small parts; every part can be replaced by a function of one's own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Self, TypeAlias

from musespark.budget import Budget
from musespark.content import Request
from musespark.errors import BadOption, QuestionTooLong
from musespark.models.capabilities import require_role, require_sight, require_tools
from musespark.models.model import Model
from musespark.reasoning.agent.task import AgentTask, ToolFactory
from musespark.reasoning.agent.vision_tools import VisionToolFactory
from musespark.reasoning.attempt import Attempt
from musespark.reasoning.call_policy import CallPolicy
from musespark.reasoning.consensus.answer_format import AnswerFormat, answer_format
from musespark.reasoning.consensus.equivalence import Equivalence, equivalence_for
from musespark.reasoning.consensus.panel import Panel
from musespark.reasoning.consensus.stopping import enough
from musespark.reasoning.context import RunContext
from musespark.reasoning.parallel.stragglers import StragglerPolicy
from musespark.reasoning.team.answer_pool import AnswerPool
from musespark.reasoning.team.approaches import PLAIN, explorer_request, instructions
from musespark.reasoning.team.decision import Decision
from musespark.reasoning.team.llm_equivalence import llm_judge
from musespark.tools.tool import Tool

MAX_AGENTS = 64
MAX_ROUNDS = 8
CHARACTERS = 10
"""More than a token has, whatever counts as one: what is longer than all tokens together fits no model."""
AGGREGATES = ("auto", "vote", "weigh", "judge", "merge")
"""Names of the ways to settle on one answer, implemented in `team.aggregate`."""

Role: TypeAlias = Literal["refiner", "judge", "merger"]
Enough: TypeAlias = Callable[[Sequence[float], int], tuple[bool, str]]
"""Group sizes, the leader's first, and how many answers are still to come: whether they could not change the winner, and why."""
Aggregator: TypeAlias = "Callable[[RunContext, Team, AnswerPool], Awaitable[Decision]]"
"""Settles on one answer."""


def explorer_tasks(run: RunContext, team: Team) -> list[AgentTask]:
    """Tasks of the explorers: models in turn, each with a seed of its own, in the team's approach.

    Token limits follow when the tasks are sent.
    """
    found = []
    asks_for = team.answer_format(run.request)
    for index in range(team.agents):
        model = team.explorers[index % len(team.explorers)]
        request, approach = explorer_request(
            run.request, model, index, team.approach, team.temperature
        )
        found.append(
            AgentTask(
                agent=f"agent-{index + 1}",
                model=model,
                request=request,
                label=f"{model.name}: {approach}",
                tools=team.tools,
                verify=team.verify,
                fits=team.fits,
                asks_for=asks_for if model.abilities.conversation else None,
                concludes=model.abilities.conversation,
            )
        )
    return found


@dataclass(frozen=True, kw_only=True)
class Team:
    """A team: models, stages and rules. A value without state.

    Raises `BadOption` if a number is out of range or there is no explorer.
    """

    explorers: tuple[Model, ...]
    """Models of the explorers; agents get them in turn."""
    agents: int = 8
    first_wave: int = 2
    """Explorers that start at once; the others follow in growing waves while the winner is in doubt."""
    rounds: int = 0
    """Most rounds of refinement; a round runs only if answers differ."""
    approach: str = PLAIN
    """Name of the explorers' approach, one of `approaches.APPROACHES`."""
    temperature: float | None = None
    """Sampling temperature of explorers if the request has none; None is `approaches.WARM`."""
    judge_ties: bool = False
    """True if a tied vote goes to a judge although none was named."""
    reply_tokens: tuple[int, ...] = ()
    """Lengths of replies of these models to such questions, in tokens, as far as they are known."""
    because: str = ""
    """Reason for approach, rounds and judge, in a sentence that the trace keeps."""
    aggregate: str | Aggregator = "auto"
    refiner: Model | None = None
    """None: every agent reconsiders with its own model."""
    judge: Model | None = None
    """None: the first explorer that can."""
    merger: Model | None = None
    tools: tuple[Tool | ToolFactory, ...] = ()
    explore: Callable[[RunContext, Team], list[AgentTask]] = explorer_tasks
    same: Equivalence | None = None
    """When two answers are the same; None: by what the question asks for."""
    enough: Enough = enough
    verify: Callable[[Attempt], Awaitable[bool | None]] | None = None
    """Something that knows whether an answer is right: unit tests, a checker."""
    fits: Callable[[str], str] | None = None
    """Reason why a text does not have the form that the request's schema asks for; empty if it has."""
    stragglers: StragglerPolicy = field(default_factory=StragglerPolicy)
    call_policy: CallPolicy = field(default_factory=CallPolicy)
    panel: Panel | None = None
    """Reliability of the models on such questions: it weighs votes, and decides when they are enough."""
    remember: Callable[[RunContext, AnswerPool], None] | None = None
    """Called at the end with the answers, in a worker thread, to learn from them."""
    solo: bool = False
    """True if the first explorer contemplates by itself, in one call, instead of the stages: it spawns its own agents."""

    def __post_init__(self) -> None:
        if not self.explorers:
            raise BadOption("explorers", "()", "at least one model")
        for option, value, low, high in (
            ("agents", self.agents, 1, MAX_AGENTS),
            ("first_wave", self.first_wave, 1, MAX_AGENTS),
            ("rounds", self.rounds, 0, MAX_ROUNDS),
        ):
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise BadOption(option, value, f"a whole number from {low} to {high}")
        if isinstance(self.aggregate, str) and self.aggregate not in AGGREGATES:
            raise BadOption.choice("aggregate", self.aggregate, AGGREGATES)
        instructions(self.approach)

    @classmethod
    def of(cls, model: Model) -> Self:
        """The default team of one model: a model that spawns agents by itself contemplates alone, any other is sampled several
        times."""
        return cls(explorers=(model,), solo=model.abilities.native_spawn)

    @property
    def name(self) -> str:
        """Name of its runs: the distinct explorers."""
        return " + ".join(dict.fromkeys(model.name for model in self.explorers))

    @property
    def models(self) -> tuple[Model, ...]:
        """All models that may be called, once each."""
        asked = (*self.explorers, self.refiner, self.judge, self.merger)
        return tuple({id(model): model for model in asked if model is not None}.values())

    def is_enough(self, answers: AnswerPool, remaining: int) -> tuple[bool, str]:
        """True if more answers would change nothing, and why."""
        return (
            self.panel.enough(answers.groups)
            if self.panel
            else self.enough(answers.groups.counts, remaining)
        )

    def equivalence(self, run: RunContext, comparing: Budget) -> Equivalence:
        """The equivalence of answers to this question. `comparing` limits the calls of a judge."""
        if self.same is not None:
            return self.same
        return equivalence_for(
            run.request, llm_judge(run, self.judge, comparing) if self.judge else None
        )

    def answer_format(self, request: Request) -> AnswerFormat | None:
        """Format of the short answer that the question asks for; None if the caller brought an equivalence."""
        return answer_format(request) if self.same is None else None

    def model_of(self, attempt: Attempt, role: Role) -> Model:
        """The model that plays a role for an agent: the one named for it, or the agent's own."""
        return getattr(self, role) or attempt.by or self.explorers[0]

    def model_for(self, role: Role, request: Request) -> Model | None:
        """The model that plays a role for all: the one named for it, or the first explorer that can read what there is."""
        named: Model | None = getattr(self, role)
        return named or next(
            (
                model
                for model in self.explorers
                if model.abilities.conversation
                and (model.abilities.pictures_in or not (request.images or request.videos))
            ),
            None,
        )

    def require(self, request: Request) -> None:
        """Raise `BeyondModel` if a model lacks an ability that its role needs, and `QuestionTooLong`.

        A question slightly too long is left to the model to refuse: it alone can count its tokens.
        """
        for model in self.explorers:
            context = model.abilities.context
            if not model.abilities.conversation and len(request.question) > CHARACTERS * context:
                raise QuestionTooLong(len(request.question), context)
        looking = next((tool for tool in self.tools if isinstance(tool, VisionToolFactory)), None)
        for model in self.models:
            read_to = (
                looking is not None and looking.serves(model) and model is not self.merger
            )  # who has no tools
            require_sight(model, request, images_as_text=read_to)
        for model in self.explorers:
            if request.tools or self.tools:
                require_tools(model)
        for role in ("refiner", "judge", "merger"):
            player: Model | None = getattr(self, role)
            if player is not None:
                require_role(player, role)
        names = {getattr(tool, "spec", None) for tool in self.tools}
        own = {spec.name for spec in names if spec is not None} | set(
            looking.names if looking else ()
        )
        taken = {tool.name for tool in request.tools} & own
        if taken:
            raise BadOption(
                "tools", ", ".join(sorted(taken)), "named differently from the agents' own tools"
            )
