"""What a browser and CI may ask for."""
