"""Tables and pages for a person, as text."""
