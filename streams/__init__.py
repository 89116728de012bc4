"""What flows between the sites and the centre: media, positions, events."""
