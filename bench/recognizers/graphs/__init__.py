"""ONNX graphs: reading their files, and reading images with them."""
