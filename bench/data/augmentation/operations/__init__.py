"""Operations of augmentations on pixels.

Images are uint8, gray (H, W) or RGB (H, W, 3). Each function returns a new image of the same size.
Functions other than those of `rand_augment` are deterministic: augmentations draw their parameters.
"""

# Imported first, because it configures OpenCV before OpenCV is loaded.
from bench.data.inputs import images

Pixels = images.Pixels
