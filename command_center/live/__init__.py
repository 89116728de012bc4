"""The sockets that push to screens and serve officers."""
