"""Public state: chaincode.md §2."""

from __future__ import annotations

import json

from conformance.calls import call, submit
from conformance.case import Case

GO = ("ours", "raw", "go")
NO_MULTI_GET = "Several keys in one call: Node has no function for it."
EMPTY_KEY = (
    "An empty key: Go refuses it in put alone, Node in private data alone; otherwise it is read as"
    " absent, or a deletion of it is written. No value can be under it, so ours refuses it"
    " everywhere: the contract has a mistake."
)
NO_EMPTY_KEY = {"ours": "INTERNAL", "raw": "a key must not be empty"}
PAGE_SIZE = (
    "A page of size 0 or below: the peer gives everything (and Node's shim no bookmark for size 0)."
    " Ours refuses: a client could have the whole ledger read."
)
NO_SIZE = {"ours": "INVALID_ARGUMENT", "raw": "a page has 1 to 2147483647 items"}
BOOKMARK = (
    "A bookmark outside of its range: the peer begins at the bookmark, so a client reads keys that"
    " the contract did not mean to show. Ours refuses it."
)
LATE_WRITES = (
    "Ours sends writes after the function has returned, so a function cannot catch the peer's"
    " refusal of a write: raw gets the contract's failure in place of the peer's words."
)
EMPTY_ATTRIBUTE = (
    "Node refuses an empty attribute of a composite key; Go takes it, and so does ours: it could"
    " else not read all keys that Go chaincode has written."
)
EMPTY_TYPE = (
    "Go takes an empty object type; Node refuses it, and so does ours: such a range holds the keys"
    " of no type."
)
CONTROL_SIGNS = (
    "Node takes U+0000 and U+10FFFF in the parts of a composite key; Go refuses them, and so does"
    " ours: such a key splits into other parts than it was made of."
)
SPLIT = (
    "A key that is not composite: Go's process ends (slice bounds out of range), Node answers with"
    " the type null. Ours refuses."
)
EMPTY_PAGE = (
    "A page without results: Node's shim gives no metadata, so there is no bookmark to read. Ours,"
    " as Go, gives an empty bookmark and the count 0."
)
BATCH = json.dumps([f"many{number:03}" for number in range(120)])


def hexadecimal(text: str) -> str:
    return text.encode().hex()


def composite(*parts: str) -> str:
    return json.dumps(list(parts))


STATE = [
    Case(
        name="put, committed, and get",
        calls=(submit("Put", "a", "01"), submit("Put", "b", "02"), call("Get", "a")),
    ),
    Case(name="get: an absent key", calls=(call("Get", "nothing"),)),
    Case(name="get: a key that is not ASCII", calls=(call("Get", "ключ ¢ 🩺"),)),
    Case(name="get: an empty key", calls=(call("Get", ""),), departs=NO_EMPTY_KEY, why=EMPTY_KEY),
    Case(name="put: an empty key", calls=(call("Put", "", "01"),), follows="go", why=EMPTY_KEY),
    Case(name="put: an empty value", calls=(call("Put", "empty", ""),)),
    Case(name="put: a key of the composite form", calls=(call("Put", "\x00x\x00", "01"),)),
    Case(name="delete", calls=(call("Delete", "a"), call("Delete", "nothing"))),
    Case(
        name="delete: an empty key",
        calls=(call("Delete", ""),),
        departs=NO_EMPTY_KEY,
        why=EMPTY_KEY,
    ),
    Case(name="two writes of a key: the last one", calls=(call("PutTwice", "a", "0a", "0b"),)),
    Case(name="a write, then a deletion", calls=(call("PutDelete", "a", "0a"),)),
    Case(name="a deletion, then a write", calls=(call("DeletePut", "a", "0a"),)),
    Case(name="a transaction does not read its own write", calls=(call("PutGet", "a", "0a"),)),
    Case(
        name="a refusal drops the writes",
        calls=(call("PutFail", "a", "0a"),),
        code="REFUSED",
        words=True,
    ),
    Case(
        name="a batch of writes, with doubles",
        calls=(call("PutMany", composite("z", "a", "m", "a"), "07"),),
    ),
    Case(name="120 writes", calls=(submit("PutMany", BATCH, "07"),)),
    Case(
        name="many keys at once",
        calls=(call("GetMany", composite("a", "nothing", "b", "a")), call("GetMany", "[]")),
        among=GO,
        why=NO_MULTI_GET,
    ),
    Case(
        name="many keys at once: 120",
        calls=(call("GetMany", BATCH),),
        among=GO,
        why=NO_MULTI_GET,
    ),
    Case(name="an answer of 1 MB", calls=(call("Big", "1000000"),)),
    Case(name="a value of 1 MB", calls=(submit("PutBig", "big", "1000000"), call("Get", "big"))),
]

RANGES = [
    Case(name="a range", calls=(call("Range", "many010", "many013", "0"),)),
    Case(name="a range over several batches", calls=(call("Range", "many", "many~", "0"),)),
    Case(name="a range left early", calls=(call("Range", "many", "many~", "3"),)),
    Case(name="a range left in its second batch", calls=(call("Range", "many", "many~", "105"),)),
    Case(name="an empty range", calls=(call("Range", "x", "y", "0"),)),
    Case(name="a range without bounds", calls=(call("Range", "", "", "4"),)),
    Case(name="a range without an end", calls=(call("Range", "many118", "", "0"),)),
    Case(name="a range without a start", calls=(call("Range", "", "b", "0"),)),
    Case(name="a range that ends before it starts", calls=(call("Range", "b", "a", "0"),)),
    Case(name="a range from a composite key", calls=(call("Range", "\x00a\x00", "", "0"),)),
    Case(name="a range to a composite key", calls=(call("Range", "a", "\x00a\x00", "0"),)),
    Case(name="a range and a write", calls=(call("RangePut", "a", "c", "new"),)),
    Case(
        name="pages of a range",
        calls=(
            call("RangePage", "many", "many~", "50", ""),
            call("RangePage", "many", "many~", "50", "many050"),
            call("RangePage", "many", "many~", "50", "many100"),
        ),
    ),
    Case(name="a page that is the whole", calls=(call("RangePage", "a", "c", "50", ""),)),
    Case(
        name="a page of nothing",
        calls=(call("RangePage", "x", "y", "50", ""),),
        follows="go",
        why=EMPTY_PAGE,
    ),
    Case(
        name="a page of size 0",
        calls=(call("RangePage", "many", "many~", "0", ""),),
        follows="go",
        departs=NO_SIZE,
        why=PAGE_SIZE,
    ),
    Case(
        name="a page of size -1",
        calls=(call("RangePage", "a", "c", "-1", ""),),
        departs=NO_SIZE,
        why=PAGE_SIZE,
    ),
    Case(
        name="a bookmark before the range",
        calls=(call("RangePage", "many", "many~", "2", "a"),),
        departs={"ours": "INVALID_ARGUMENT", "raw": "the bookmark is none of this range"},
        why=BOOKMARK,
    ),
    Case(
        name="a page forbids writes",
        calls=(call("PagePut", "new"),),
        words=True,
        departs={"raw": "INTERNAL"},
        why=LATE_WRITES,
    ),
    Case(name="a rich query on LevelDB", calls=(call("Query", '{"selector":{}}'),), words=True),
    Case(
        name="a page of a rich query on LevelDB",
        calls=(call("QueryPage", '{"selector":{}}', "3", ""),),
        words=True,
    ),
    Case(name="an empty query", calls=(call("Query", ""),)),
    Case(
        name="history, newest first",
        calls=(
            submit("Put", "aged", "01"),
            submit("Put", "aged", "02"),
            submit("Delete", "aged"),
            submit("Put", "aged", "03"),
            call("History", "aged"),
        ),
    ),
    Case(name="history of an absent key", calls=(call("History", "nothing"),)),
    Case(
        name="history of an empty key",
        calls=(call("History", ""),),
        departs=NO_EMPTY_KEY,
        why=EMPTY_KEY,
    ),
]

COMPOSITE = [
    Case(name="a composite key", calls=(call("CreateKey", "kind", composite("a", "ü🩺")),)),
    Case(name="a composite key without attributes", calls=(call("CreateKey", "kind", "[]"),)),
    Case(
        name="an empty attribute",
        calls=(call("CreateKey", "kind", composite("a", "")),),
        follows="go",
        why=EMPTY_ATTRIBUTE,
    ),
    Case(
        name="an empty object type",
        calls=(call("CreateKey", "", composite("a")),),
        follows="node",
        why=EMPTY_TYPE,
    ),
    Case(
        name="U+0000 in an attribute",
        calls=(call("CreateKey", "k", composite("a\x00b")),),
        follows="go",
        why=CONTROL_SIGNS,
    ),
    Case(
        name="U+10FFFF in an attribute",
        calls=(call("CreateKey", "k", composite("\U0010ffff")),),
        follows="go",
        why=CONTROL_SIGNS,
    ),
    Case(
        name="U+0000 in the object type",
        calls=(call("CreateKey", "k\x00", "[]"),),
        follows="go",
        why=CONTROL_SIGNS,
    ),
    Case(name="split", calls=(call("SplitKey", hexadecimal("\x00kind\x00a\x00ü🩺\x00")),)),
    Case(name="split: no attributes", calls=(call("SplitKey", hexadecimal("\x00kind\x00")),)),
    Case(
        name="split: an empty attribute",
        calls=(call("SplitKey", hexadecimal("\x00kind\x00a\x00\x00")),),
    ),
    Case(
        name="split: a key that is not composite",
        calls=(call("SplitKey", hexadecimal("simple")), call("SplitKey", "")),
        among=("ours", "raw", "node"),
        departs={"ours": "INTERNAL", "raw": "not a composite key"},
        why=SPLIT,
    ),
    Case(
        name="partial composite keys",
        calls=(
            submit("PutComposite", "kind", composite("a", "1"), "01"),
            submit("PutComposite", "kind", composite("a", "2"), "02"),
            submit("PutComposite", "kind", composite("b", "1"), "03"),
            submit("PutComposite", "kind2", composite("a"), "04"),
            call("Partial", "kind", composite("a"), "0"),
            call("Partial", "kind", "[]", "0"),
            call("Partial", "kind", "[]", "1"),
            call("Partial", "none", "[]", "0"),
        ),
    ),
    Case(
        name="a partial key without a type",
        calls=(call("Partial", "", "[]", "0"),),
        follows="node",
        why=EMPTY_TYPE,
    ),
    Case(
        name="pages of a partial key",
        calls=(
            call("PartialPage", "kind", "[]", "2", ""),
            call("PartialPage", "kind", "[]", "2", "\x00kind\x00b\x001\x00"),
        ),
    ),
    Case(
        name="pages of all composite keys",
        calls=(
            call("AllCompositePage", "3", ""),
            call("AllCompositePage", "3", "\x00kind2\x00a\x00"),
        ),
        among=GO,
        why="All composite keys, in pages: Node has no function for it.",
    ),
]
