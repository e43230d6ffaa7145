"""Which devices are let in: by the configuration, by a rule, by a person, by a code; and what becomes of the others."""
