"""The papers that go with a request: written from forms, sealed, and verified before anything leaves."""
