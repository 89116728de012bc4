"""The check-list of WHIP (RFC 9725) and WHEP (draft 03), a test a line; its numbers stand in the tests' names.

1 answers, 2 directions, 3 tracks and multiplexing, 4 candidates and DTLS roles, 5 PATCH, 6 the other methods,
7 access, 8 refusals for a time, 9 limits; and what real clients do that no list says (`test_clients.py`).
"""
