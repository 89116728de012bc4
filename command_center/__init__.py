"""The centre: screens, people, and the record of what was ordered and done."""
