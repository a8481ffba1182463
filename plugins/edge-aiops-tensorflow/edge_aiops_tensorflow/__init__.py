"""Serves TensorFlow Lite, SavedModel and Keras models in edge_aiops."""
