"""Export of finished trainings, and readers of images by name (`bench export`, `bench read`)."""
