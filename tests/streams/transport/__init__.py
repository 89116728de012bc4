"""Tests of the media node: transport."""
