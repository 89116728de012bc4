"""One UDP port for every session: demultiplexing, ICE-lite, DTLS."""
