"""What the sandbox lists of something known: comments of a video, followers of a user, ..."""
