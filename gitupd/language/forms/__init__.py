"""The forms of sentences that core and services put together, as texts of the catalogue, by what they are about."""
