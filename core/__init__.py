"""The mechanism: access, actions, journal, reactions, work, Markdown. No product words."""
