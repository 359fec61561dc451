"""Questions to an endpoint for chat completions, over HTTP, and its answers."""
