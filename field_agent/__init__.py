"""What an officer carries: the web page of the phone and its headless twin."""
