"""What reads images and was not trained by bench: programs, libraries, files, one module each."""
