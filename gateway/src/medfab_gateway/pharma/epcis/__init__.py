"""EPCIS 2.0: typed events and documents, JSON-LD in and out, XML 1.2 in, the event hash.

::

    from medfab_gateway.pharma.epcis import read, write_document, event_hashes

    document = read(Path("events.json").read_bytes())   # EpcisError names event and field
    for event, name in zip(document.events, event_hashes(document)):
        print(name, event.biz_step, event.event_time)
"""
