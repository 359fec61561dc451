"""Files to begin with, from the templates in `templates/`."""
