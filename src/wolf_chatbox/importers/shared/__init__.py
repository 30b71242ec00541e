"""What several formats share, or what is too long to stand in one."""
