"""Agreement between answers. Nothing here calls a model.

groups.py        `AnswerGroups`: attempts grouped by an equivalence as they arrive
stopping.py      the rule that no further answer is needed
voting.py        the winning group, by plain majority or by weights
reliability.py   reliability of models and correlation of their errors, from recorded votes
panel.py         models to call in order, with weights and a threshold, learned from votes
equivalence/     the kinds of sameness
answer_format/   the short answer that a question asks for, and the search for it in a reply
"""
