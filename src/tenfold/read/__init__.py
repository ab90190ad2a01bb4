"""How a picture becomes digits, on ONNX Runtime; the base install is enough."""
