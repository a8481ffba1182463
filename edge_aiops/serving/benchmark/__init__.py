"""Which of several models for the same task is the fastest here, and whether they say the same.

The models of an equivalence group answer the same inputs in turns, beside live traffic and behind it; what they took is
compared pair by pair. See docs/benchmark.md.
"""
