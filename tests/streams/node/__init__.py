"""Tests of the media node: node."""
