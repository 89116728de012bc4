"""Pass-through recording: writer, manifest, store."""
