"""The sandbox's lists of something known: comments of a video, followers of a user, ..."""
