"""Lines that the code of the configuration computes: the process that runs it, and a device as the XML it is shown."""
