"""A headless agent: a file as camera, a track as GPS."""
