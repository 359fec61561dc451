"""`bench sweep`: parameters of one training searched by its validation score."""
