"""gitupd: configuration as code for fleets of innovaphone phones and gateways."""

__version__ = "0.1.0"
