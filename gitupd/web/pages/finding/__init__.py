"""What belongs to the page of all devices: searches that are saved."""
