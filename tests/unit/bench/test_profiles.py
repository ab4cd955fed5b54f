"""The summary of py-spy's stacks."""

from __future__ import annotations

from bench.profiles_chaincode import summary

FOLDED = """\
0x7f (libc.so.6);main (click/core.py:1);serve (/x/src/medfab_chaincode/_serve.py:9);uv (core.c:4);\
epoll_pwait (libc.so.6) 90
0x7f (libc.so.6);serve (/x/src/medfab_chaincode/_serve.py:9);read (medfab_chaincode/_http2.py:3);\
malloc (libc.so.6) 6
0x7f (libc.so.6);serve (/x/src/medfab_chaincode/_serve.py:12);read (medfab_chaincode/_http2.py:5);\
read (medfab_chaincode/_http2.py:7);parse (medfab_chaincode/_json.py:1) 4
0x7f (libc.so.6);start_thread (libc.so.6) 50
"""


def test_shares_are_of_the_samples_in_which_it_worked() -> None:
    within, innermost = summary("evaluate", FOLDED).split("The innermost")
    assert "10 samples" in within
    assert "100.0 %  serve (medfab_chaincode/_serve.py)" in within
    assert "100.0 %  read (medfab_chaincode/_http2.py)" in within  # once a stack
    assert " 40.0 %  parse (medfab_chaincode/_json.py)" in within
    assert " 60.0 %  read (medfab_chaincode/_http2.py)" in innermost
    assert "serve" not in innermost
    assert "click" not in within
