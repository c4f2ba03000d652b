"""What ships inside people's apps; standard library only."""
