"""Serves large language models of an Ollama server in edge_aiops."""
