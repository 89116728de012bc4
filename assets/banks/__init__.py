"""The banks: one gateway interface and its HTTP implementation."""
