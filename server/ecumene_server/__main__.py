"""Makes `python -m ecumene_server` the same as `ecumene`."""

from ecumene_server.cli import main

if __name__ == "__main__":
    main()
