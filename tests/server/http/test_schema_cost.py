"""The work that a schema can make is bounded from above, and a schema without a bound is refused at once."""

import json

import pytest
from hypothesis import given, settings, strategies as st

from musespark.server.errors import RequestRefused, SchemaNotMet
from musespark.server.http.schema import require_match, require_schemas
from musespark.server.http.schema_cost import MAX_CHECKS, SchemaCost, measure, require_affordable

NAMES = ("a", "b")
LEAF = (
    st.just({})
    | st.just({"type": "string"})
    | st.sampled_from([{"$ref": f"#/$defs/{name}"} for name in NAMES])
)
SCHEMA = st.recursive(
    LEAF,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
            "properties": st.dictionaries(st.sampled_from(NAMES), inner, max_size=2),
            "items": inner,
            "additionalProperties": inner,
            "patternProperties": st.just({}) | inner.map(lambda one: {"a": one}),
        },
    ),
    max_leaves=6,
)
ANSWER = st.recursive(
    st.none() | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from((*NAMES, "c")), inner, max_size=2)
    ),
    max_leaves=6,
)


def looked(root, schema, value):
    """Number of parts of the schema that look at the answer, if none is spared; written as plainly as can be."""
    if not isinstance(schema, dict):
        return 0
    here = [
        *schema.get("allOf", ()),
        *schema.get("anyOf", ()),
        *([schema["not"]] if "not" in schema else ()),
    ]
    here += [root["$defs"][schema["$ref"].rpartition("/")[2]]] if "$ref" in schema else []
    count = 1 + sum(looked(root, each, value) for each in here)
    for name, inner in value.items() if isinstance(value, dict) else ():
        known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
        below = [known[name]] if name in known else []
        below += [each for pattern, each in patterns.items() if pattern in name]
        below += (
            [schema["additionalProperties"]]
            if not below and "additionalProperties" in schema
            else []
        )
        count += sum(looked(root, each, inner) for each in below)
    for inner in value if isinstance(value, list) else ():
        count += looked(root, schema["items"], inner) if "items" in schema else 0
    return count


@settings(max_examples=300)
@given(SCHEMA, SCHEMA, SCHEMA, ANSWER)
def test_the_bound_is_one(schema, first, second, answer):
    root = {**schema, "$defs": {"a": first, "b": second}}
    try:
        extent = SchemaCost(root)
    except ValueError as error:
        assert "without end" in str(error)
        return
    count, depth = measure(answer)
    assert looked(root, root, answer) <= count * extent.checks_per_value(depth)


def chain(length, **inner):
    """Definitions of which each is twice the next."""

    def twice(number):
        return {"allOf": [{"$ref": f"#/$defs/a{number + 1}"}] * 2}

    return {
        "$ref": "#/$defs/a0",
        "$defs": {**{f"a{number}": twice(number) for number in range(length)}, f"a{length}": inner},
    }


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (chain(40), "too long"),
        ({"$ref": "#"}, "without end"),
        ({"allOf": [{"$ref": "#x"}], "$anchor": "x"}, "without end"),
        ({"$dynamicAnchor": "x", "not": {"$dynamicRef": "#x"}}, "without end"),
        ({"properties": {"a": {"$id": "http://x/y", "$ref": "#"}}}, "$id within"),
        ({"allOf": [{"not": {}} for _ in range(3000)]}, "more than 5,000 parts"),
        ({"items": {"allOf": [{"$ref": "#"}] * 4}}, "too long"),
        ({"$ref": "#/$defs/%61~1b", "$defs": {"a/b": {"$ref": "#"}}}, "without end"),
    ],
)
def test_a_schema_that_is_too_much_work_is_refused_at_once(schema, said):
    with pytest.raises(RequestRefused) as refused:
        require_schemas({"schema": json.dumps(schema)})
    assert said in str(refused.value)


def test_an_answer_that_makes_it_too_much_is_not_checked():
    tree = {"properties": {"a": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}}
    schema, deep = json.dumps(tree), "{}"
    require_schemas({"schema": schema})
    for _ in range(100):
        deep = f'{{"a": {deep}}}'
    with pytest.raises(SchemaNotMet, match="too long"):
        require_match(deep, schema, "m")
    with pytest.raises(SchemaNotMet, match="levels deep"):
        require_match("[" * 600 + "]" * 600, "{}", "m")
    require_match('{"a": {"a": {}}}', schema, "m")


def test_trees_and_lists_of_any_size_are_no_work():
    tree = {
        "type": "object",
        "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}, "value": {"type": "integer"}},
    }
    assert SchemaCost(tree).checks_per_value(400) <= 2 < MAX_CHECKS
    require_affordable(json.dumps(tree), [{"value": 1}] * 100_000)


def test_many_patterns_are_too_many():
    tools = {
        f"the parameters of t{number}": json.dumps(
            {"properties": {f"a{each}": {"pattern": "^(a+)+$"} for each in range(100)}}
        )
        for number in range(6)
    }
    with pytest.raises(RequestRefused, match="more than 500 patterns"):
        require_schemas(tools)
    require_schemas(dict(list(tools.items())[:4]))
