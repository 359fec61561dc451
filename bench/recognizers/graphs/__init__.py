"""ONNX graphs: what their files say, and what reads images with them."""
