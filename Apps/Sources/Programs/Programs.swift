// This target has no code: its dependencies are the programs that `make all` builds.
