"""A media node: where its parts are built, joined and closed."""
