"""Tests of the media node: signalling."""
