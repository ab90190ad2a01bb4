"""Where digits come from: labelled sets, the files they live in, what they look like."""
