"""Serves Hugging Face models in edge_aiops: embeddings and classification of text."""
