"""The state of a run that the terminal's fold and the page's fold have in common, as JSON."""

from dataclasses import asdict

from musespark.cli.view.board import Board


def state_of(board: Board) -> dict[str, object]:
    """Return the state; `web/test/golden.test.ts` has the same function for the page."""
    return {
        "question": board.question,
        "mode": board.mode,
        "model": board.model,
        "at": board.at,
        "answer": board.answer,
        "status": board.status,
        "checked_by": board.checked_by,
        "abstained": board.abstained,
        "why": board.finish_reason,
        "reason": board.detail,
        "failed": board.failed,
        "usage": asdict(board.usage),
        "stages": [[stage.stage, stage.round] for stage in board.stages],
        "groups": [[group.number, group.answer, list(group.agents)] for group in board.groups],
        "settled": board.settled,
        "verdicts": [[verdict.winner, verdict.loser] for verdict in board.verdicts],
        "decided": None
        if board.decided is None
        else [board.decided.by, list(board.decided.winners)],
        "lanes": [
            {
                "agent": lane.agent,
                "parent": lane.parent,
                "task": lane.task,
                "depth": lane.depth,
                "state": lane.state,
                "thoughts": lane.thoughts,
                "note": lane.note,
                "tools": [use.call for use in lane.tools],
                "outcome": lane.outcome,
                "changed": None
                if lane.changed is None
                else [lane.changed.before, lane.changed.after, lane.changed.kept],
                "images": lane.images,
                "tokens": lane.usage.tokens,
            }
            for lane in board.lanes.values()
        ],
    }
