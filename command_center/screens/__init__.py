"""The Dash pages of the centre."""
