"""A trained model for other programs: GGUF, ONNX, a character card, the hub. Each is checked before it is called done.

An export is a new folder, written whole or not at all. What is checked is the artefact, by the program that reads it:
llama.cpp's own server, onnxruntime, a PNG reader, the hub's own list of files.
"""
