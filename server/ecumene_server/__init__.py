"""The server: real-time host, sockets, storage, bridge and the command line."""
