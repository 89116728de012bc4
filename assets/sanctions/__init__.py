"""Credit sanctions (信用惩戒): the list of judgment defaulters and the consumption limit."""
