"""WHIP, WHEP, SDP and the tokens that admit to them."""
