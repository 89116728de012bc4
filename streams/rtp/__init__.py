"""RTP and RTCP on the wire: headers, numbering, reports, feedback, retransmission, payload formats."""
