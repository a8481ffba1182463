"""One module per resource; each declares its endpoints as `ENDPOINTS`."""
