"""Selective forwarding: a feed, its viewers, and what each is sent."""
