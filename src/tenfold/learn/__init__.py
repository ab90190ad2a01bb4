"""How a network is made and judged. Needs the extra [train]; importing this package alone loads nothing of it."""
