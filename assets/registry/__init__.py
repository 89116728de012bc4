"""The real-estate registry: one gateway interface and its HTTP implementation."""
