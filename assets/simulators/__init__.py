"""A bank and a registry as HTTP services over fictional people."""
