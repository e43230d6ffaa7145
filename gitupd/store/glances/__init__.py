"""What is seen at a glance: a few values of a site, for a shell that offers them while somebody types.

Opening a site takes longer than somebody who types would wait, and may change it. Here nothing is written, nobody is
waited for, and neither SQLAlchemy nor dulwich is imported.
"""
