"""What augmentations do to pixels.

Images are uint8, gray (H, W) or red, green and blue (H, W, 3). Each function returns an image of
the same size and leaves the one that it was given as it is. All but those of `rand_augment` depend
on their parameters alone: an augmentation draws these.
"""

# It configures OpenCV, which has to happen before OpenCV is loaded.
from bench.data.inputs import images

Pixels = images.Pixels
