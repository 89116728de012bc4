"""Cases, persons, claims, and the query and control of their assets."""
