"""The record of every inference: appended before the answer leaves, read by cursor, labelled by feedback."""
