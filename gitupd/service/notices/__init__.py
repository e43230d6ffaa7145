"""Telling people what happened: looking for it, and sending it by mail, to a webhook, into a chat."""
