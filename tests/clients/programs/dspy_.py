"""DSPy with both of its adapters, over Chat Completions and Responses."""

import sys

# settings
import dspy

lm = dspy.LM("openai/contemplating", api_base="http://127.0.0.1:8787/v1", api_key="none")

# turns
import turns

ADAPTERS = (dspy.ChatAdapter(), dspy.JSONAdapter())


class Answer(dspy.Signature):
    """Answer the question."""

    question: str = dspy.InputField()
    answer: str = dspy.OutputField()


def text() -> None:
    """Predict with both adapters."""
    for adapter in ADAPTERS:
        with dspy.context(lm=lm, adapter=adapter):
            said = dspy.Predict(Answer)(question=turns.TEXT).answer
            assert "heliotrope" in said, adapter
    print(said)


def tool() -> None:
    """Let ReAct call a tool, with both adapters."""
    for adapter in ADAPTERS:
        with dspy.context(lm=lm, adapter=adapter):
            found = dspy.ReAct(Answer, tools=[turns.weather], max_iters=3)(question=turns.LOOK)
            print(found.trajectory["observation_0"], found.answer)


{"text": text, "tool": tool}[sys.argv[1]]()
