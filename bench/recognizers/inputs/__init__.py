"""How recognizers from outside bench want images, and images made so."""
