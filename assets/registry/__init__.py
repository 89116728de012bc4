"""The real-estate registry: its messages, and the gateway over HTTP."""
