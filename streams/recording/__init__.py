"""Recordings: what a publisher sent, kept as it came, in fragments that survive a crash."""
