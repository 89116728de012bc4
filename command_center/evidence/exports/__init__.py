"""Packages for those outside: chosen cameras of a span of one operation, with everything that proves them."""
