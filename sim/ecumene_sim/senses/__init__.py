"""Vision, hearing, touch, the body, others and the goal, for a batch of avatars at once."""
