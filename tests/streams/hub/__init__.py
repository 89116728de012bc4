"""Tests of what a node tells and hears over the hub."""
