"""Actions of intake: each takes the stream "intake" first, then incidents, so that none waits in a circle."""
