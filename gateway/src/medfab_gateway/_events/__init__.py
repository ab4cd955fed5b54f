"""Streams of events: chaincode events, blocks, and where to go on after an interruption.

    request      a signed message, and how its answers are read        _request_async.py
    connection   one request under way at one peer                     _connection_async.py
    resuming     connections, one after another, without a gap         _resuming_async.py
    shared       one resuming stream behind many readers               _shared_async.py
    stream       what users iterate over                               _stream_async.py

Each of the middle three is a feed: `next()` gives the next block's worth, None at the end;
`close()` ends it at once.
"""
