"""What people judge: blind votes between two who answer the same, and games of who wrote what."""
