"""The banks: the messages that go to them and come back, and the gateway over HTTP."""
