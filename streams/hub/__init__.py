"""Publish, subscribe, streams and presence over Redis."""
