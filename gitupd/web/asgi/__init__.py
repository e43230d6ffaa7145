"""HTTP below the pages: a connection with its bounds, a request parsed once, a body read whole, log and counters."""
