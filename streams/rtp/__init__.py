"""RTP and RTCP on the wire: headers, rewriting, retransmission, feedback."""
