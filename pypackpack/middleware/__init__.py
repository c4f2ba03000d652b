"""What a request means: decisions and plans."""
