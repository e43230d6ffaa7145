"""What belongs to the page of all devices: searches that are saved, columns that are kept, addresses to poll at."""
