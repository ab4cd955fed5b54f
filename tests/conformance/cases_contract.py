"""The contract API: chaincode.md §3."""

from __future__ import annotations

import json
from typing import Any

from conformance.calls import Call, call
from conformance.case import Case

APIS = ("ours", "go", "node")
INVALID, UNKNOWN = "INVALID_ARGUMENT", "UNKNOWN_FUNCTION"
GO_API = ("ours", "go")
PART = {"code": "a", "count": 1}
TREE = {"name": "a", "children": [{"name": "b", "children": []}]}
ITEM = {
    "name": "ü <&> \u2028",
    "count": -5,
    "ready": True,
    "tags": ["b", "a", ""],
    "main": PART,
    "parts": [PART, {"code": "", "count": 0}],
    "labels": {"z": "1", "a": "2"},
}


NO_BYTES = "Bytes: Node's contract API has no such type."
NO_DATES = "A date and time: Node's contract API has no such type."
FIRST_COLON = (
    "A contract's name with a colon: Go divides `contract:function` at the last colon, Node at the"
    " first. Ours at the last."
)
EMPTY_CONTRACT = (
    "`:function`: Node takes the default contract; to Go the contract's name is empty, and there is"
    " none of that name. Ours as Go."
)
FIRST_LETTER = (
    "`text` for `Text`: Go makes the first letter a capital, because its functions are exported;"
    " Node does not, nor does ours: names are what the contract says."
)
UNKNOWN_HOOK = (
    "The hook for unknown functions: Node runs neither before nor after around it and drops its"
    " result; Go runs both and answers with it, and so does ours."
)
BEFORE_FIRST = (
    "Arguments that do not fit: Node looks at them before the hook before runs, Go after it, and so"
    " does ours: who may not call shall not learn what the function takes."
)
NUMBERS = (
    "Node has one number type, JavaScript's: it takes `1.5`, `1e3`, `0x10`, spaces, and rounds"
    " beyond 2^53. Go reads `int64` in decimal, exactly, and so does ours."
)
ONE_FORM = (
    "Both take more than one spelling of a number or a flag (`+1`, `007`, empty for 0, `True`)."
    " Ours takes one: the same call has one form, whatever language sends it."
)
FLAGS = "Go takes `1` and the empty text for a flag; Node takes neither, nor does ours."
LISTS_OF_TEXT = (
    "Node hands a list of texts to the function with every text still in JSON's quotes, numbers"
    " too. Ours, as Go, hands over the texts and refuses numbers."
)
NULLS = (
    "`null` where a value is declared: Go makes it the empty value of the type, Node the text"
    " `null` in a list and a refusal for an object. Ours refuses: `X | None` says that it may be"
    " absent."
)
MAPPINGS = (
    "Node fails at every argument that is a mapping (`Map<string, number>`). Ours, as Go, takes it."
)
FIELDS = (
    "Node checks the type `object` of an argument and not its fields: it takes unknown, missing and"
    " misspelt ones. Go refuses them, and so does ours."
)
OPTIONAL = (
    "A field that may be absent is `X | None` in ours, in metadata of the type `X` or null. Ours"
    " takes null for it and answers null; in Go and Node it is left out, and null is refused."
)
TWICE = (
    "A field twice: both take the last one. Ours refuses: two readers of the same bytes could see"
    " different values."
)
ARITY = "Too many arguments: Go ignores those left over; Node refuses them, and so does ours."
NOT_TEXT = (
    "An argument of type text that is not UTF-8: Go hands the bytes on, Node puts U+FFFD in their"
    " place. Ours refuses: `bytes` is the type for bytes."
)
MOMENTS = (
    "Go writes a date and time in the zone it came in, without the fraction of a second (Node has"
    " no such type). Ours writes UTC and keeps the fraction: one moment has one form."
)
ORDER = (
    "An object's fields: Node answers in the order of the argument, Go in the order of the type."
    " Ours in the order of the alphabet: one value, one form, whoever made it."
)
MARKUP = (
    "`<`, `>` and `&` in JSON: Go writes `\\u003c` and so on, Node the signs, and so does ours."
)


def canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def typed(function: str, value: object) -> Call:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return call(f"types:{function}", text)


def accepted(name: str, function: str, *values: object, **more: Any) -> Case:
    calls = tuple(typed(function, value) for value in values)
    return Case(name=name, calls=calls, among=APIS, **more)


def refused(name: str, function: str, *values: object, **more: Any) -> Case:
    return accepted(name, function, *values, code=INVALID, **more)


ROUTING = [
    Case(name="the default contract", calls=(call("Get", "a"),), among=APIS),
    Case(name="a contract by name", calls=(call("ledger:Get", "a"),), among=APIS),
    Case(name="another contract", calls=(call("types:Text", "x"),), among=APIS),
    Case(
        name="a name with a colon",
        calls=(call("org:colon:Where"),),
        among=APIS,
        follows="go",
        why=FIRST_COLON,
    ),
    Case(
        name="an empty contract name",
        calls=(call(":Get", "a"),),
        among=APIS,
        follows="go",
        code=UNKNOWN,
        why=EMPTY_CONTRACT,
    ),
    Case(name="an unknown contract", calls=(call("no:Get"),), among=APIS, code=UNKNOWN),
    Case(name="an unknown function", calls=(call("types:No"),), among=APIS, code=UNKNOWN),
    Case(
        name="a function in small letters",
        calls=(call("types:text", "x"),),
        among=APIS,
        follows="node",
        code=UNKNOWN,
        why=FIRST_LETTER,
    ),
    Case(name="an empty function name", calls=(call(""),), among=APIS, code=UNKNOWN),
]

HOOKS = [
    Case(name="before, function, after", calls=(call("hooks:Note", "x"),), among=APIS),
    Case(
        name="before refuses",
        calls=(call("hooks:Note", "x", transient={"refuse": b"before"}),),
        among=APIS,
        code="REFUSED",
        words=True,
    ),
    Case(
        name="after refuses",
        calls=(call("hooks:Note", "x", transient={"refuse": b"after"}),),
        among=APIS,
        code="REFUSED",
        words=True,
    ),
    Case(
        name="the function refuses",
        calls=(call("hooks:Fail"),),
        among=APIS,
        code="REFUSED",
        words=True,
    ),
    Case(
        name="an unknown function",
        calls=(call("hooks:Anything", "x"),),
        among=APIS,
        follows="go",
        why=UNKNOWN_HOOK,
    ),
    Case(
        name="an unknown function, refused by its hook",
        calls=(call("hooks:Refused"),),
        among=APIS,
        code="REFUSED",
        words=True,
    ),
    Case(
        name="bad arguments: does before run first?",
        calls=(call("hooks:Note", transient={"refuse": b"before"}),),
        among=APIS,
        follows="go",
        code="REFUSED",
        words=True,
        why=BEFORE_FIRST,
    ),
]

ARGUMENTS = [
    accepted("text", "Text", "x", "", "ü🩺", "null", '"quoted"', "[1]", " x "),
    accepted("a whole number", "Whole", "0", "-7", "9007199254740991"),
    accepted(
        "a whole number beyond 2^53", "Whole", "9223372036854775807", follows="go", why=NUMBERS
    ),
    refused(
        "a whole number beyond 64 bits", "Whole", "9223372036854775808", follows="go", why=NUMBERS
    ),
    refused("a fraction for a whole number", "Whole", "1.5", follows="go", why=NUMBERS),
    refused("1.0 for a whole number", "Whole", "1.0", follows="go", why=NUMBERS),
    refused("1e3 for a whole number", "Whole", "1e3", follows="go", why=NUMBERS),
    refused("+1 for a whole number", "Whole", "+1", departs={"ours": INVALID}, why=ONE_FORM),
    refused("007 for a whole number", "Whole", "007", departs={"ours": INVALID}, why=ONE_FORM),
    refused("0x10 for a whole number", "Whole", "0x10", follows="go", why=NUMBERS),
    refused("spaces around a whole number", "Whole", " 1 ", follows="go", why=NUMBERS),
    refused("an empty whole number", "Whole", "", departs={"ours": INVALID}, why=ONE_FORM),
    refused("NaN for a whole number", "Whole", "NaN"),
    refused("words for a whole number", "Whole", "one"),
    accepted("true and false", "Flag", "true", "false"),
    refused("True for a flag", "Flag", "True", departs={"ours": INVALID}, why=ONE_FORM),
    refused("TRUE for a flag", "Flag", "TRUE", departs={"ours": INVALID}, why=ONE_FORM),
    refused("1 for a flag", "Flag", "1", follows="node", why=FLAGS),
    refused("yes for a flag", "Flag", "yes"),
    refused("an empty flag", "Flag", "", follows="node", why=FLAGS),
    Case(
        name="bytes",
        calls=(call("types:Bytes", b"plain"), call("types:Bytes", b"")),
        among=GO_API,
        why=NO_BYTES,
    ),
    Case(
        name="bytes that are no text",
        calls=(call("types:Bytes", b"\xff\x00\x80"),),
        among=GO_API,
        why=NO_BYTES,
    ),
    Case(
        name="date and time",
        calls=(call("types:Moment", "2026-11-24T05:06:07Z"),),
        among=GO_API,
        why=NO_DATES,
    ),
    Case(
        name="date and time of another zone",
        calls=(call("types:Moment", "2026-11-24T05:06:07+02:00"),),
        among=GO_API,
        departs={"ours": "2026-11-24T03:06:07Z"},
        why=MOMENTS,
    ),
    Case(
        name="date and time with a fraction",
        calls=(call("types:Moment", "2026-11-24T05:06:07.123456Z"),),
        among=GO_API,
        departs={"ours": "2026-11-24T05:06:07.123456Z"},
        why=MOMENTS,
    ),
    Case(
        name="a date alone",
        calls=(call("types:Moment", "2026-11-24"),),
        among=GO_API,
        code=INVALID,
        why=NO_DATES,
    ),
    accepted("a list of texts", "Texts", ["b", "a"], [], ["ü"], follows="go", why=LISTS_OF_TEXT),
    refused("numbers in a list of texts", "Texts", [1], follows="go", why=LISTS_OF_TEXT),
    refused(
        "null in a list of texts",
        "Texts",
        [None],
        follows="go",
        departs={"ours": INVALID},
        why=NULLS,
    ),
    refused("an object for a list", "Texts", {}),
    refused("null for a list", "Texts", "null"),
    refused("no JSON for a list", "Texts", "a,b"),
    accepted("a list of whole numbers", "Wholes", [1, -2]),
    refused("texts in a list of whole numbers", "Wholes", ["1"]),
    refused("fractions in a list of whole numbers", "Wholes", [1.5], follows="go", why=NUMBERS),
    refused("1.0 in a list of whole numbers", "Wholes", "[1.0]", follows="go", why=NUMBERS),
    accepted("a mapping", "Counts", {"b": 1, "a": 2}, {}, follows="go", why=MAPPINGS),
    refused("texts in a mapping of numbers", "Counts", {"a": "1"}),
    refused("a list for a mapping", "Counts", []),
    accepted("an object", "Part", PART),
    accepted("an object with everything", "Item", ITEM),
    accepted("a list of objects", "Parts", [PART], []),
    accepted("an object that holds itself", "Tree", TREE),
    accepted("a field that may be absent", "Extra", {"code": "a", "note": "b"}),
    accepted(
        "a field that is absent",
        "Extra",
        {"code": "a"},
        departs={"ours": '{"code":"a","note":null}'},
        why=OPTIONAL,
    ),
    accepted(
        "a field that is null and may be absent",
        "Extra",
        {"code": "a", "note": None},
        departs={"ours": '{"code":"a","note":null}'},
        why=OPTIONAL,
    ),
    refused(
        "an unknown field, nested in its own kind",
        "Tree",
        {**TREE, "children": [{**TREE, "x": 1}]},
        follows="go",
        why=FIELDS,
    ),
    refused("an unknown field", "Part", {**PART, "other": 1}, follows="go", why=FIELDS),
    refused("a missing field", "Part", {"code": "a"}, follows="go", why=FIELDS),
    refused(
        "a missing field, nested", "Item", {**ITEM, "main": {"code": "a"}}, follows="go", why=FIELDS
    ),
    refused("a field of another type", "Part", {"code": 1, "count": 1}),
    refused("null for a field", "Part", {"code": None, "count": 1}),
    refused("fields in capitals", "Part", {"CODE": "a", "Count": 1}, follows="go", why=FIELDS),
    refused(
        "a field twice",
        "Part",
        '{"code":"a","code":"b","count":1}',
        departs={"ours": INVALID},
        why=TWICE,
    ),
    refused("null for an object", "Part", "null", follows="node", why=NULLS),
    refused("more after the JSON", "Part", json.dumps(PART) + " x"),
    refused("NaN in JSON", "Part", '{"code":"a","count":NaN}'),
    Case(
        name="two arguments",
        calls=(call("types:Two", "a", "1"),),
        among=APIS,
    ),
    Case(
        name="too few arguments",
        calls=(call("types:Two", "a"), call("types:Two")),
        among=APIS,
        code=INVALID,
    ),
    Case(
        name="too many arguments",
        calls=(call("types:Two", "a", "1", "x"), call("types:Nothing", "x")),
        among=APIS,
        follows="node",
        code=INVALID,
        why=ARITY,
    ),
    Case(
        name="text that is not UTF-8",
        calls=(call("types:Text", b"\xff"),),
        among=APIS,
        follows="go",
        departs={"ours": INVALID},
        why=NOT_TEXT,
    ),
]


def written(name: str, function: str, value: object, **more: Any) -> Case:
    return accepted(name, function, value, exact=True, **more)


RESULTS = [
    Case(name="nothing", calls=(call("types:Nothing"), call("types:NoPart")), among=APIS),
    written("the bytes of a text", "Text", "ü"),
    written("the bytes of a flag", "Flag", "true"),
    written("the bytes of a list", "Wholes", "[1, 2]"),
    written("the bytes of an object", "Part", PART),
    written(
        "the bytes of an object, given in another order",
        "Part",
        '{"count":1,"code":"a"}',
        follows="go",
        why=ORDER,
    ),
    written(
        "the bytes of an object, not in the alphabet's order",
        "Item",
        ITEM,
        follows="node",
        departs={"ours": canonical(ITEM)},
        why=ORDER,
    ),
    written("the bytes of a mapping", "Counts", '{ "b":1, "a" :2 }', follows="go", why=MAPPINGS),
    written("the bytes of what is not ASCII", "Part", {"code": "ü🩺", "count": 1}),
    written("the bytes of markup", "Part", {"code": "<&>", "count": 1}, follows="node", why=MARKUP),
]
