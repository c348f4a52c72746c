"""Commands: one file a group; `ecumene_world.command` is the door to all of them."""
