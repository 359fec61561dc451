"""From the outputs of recognizers from outside bench to texts."""
