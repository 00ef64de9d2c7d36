import ArgumentParser

SimulateCommand.main()
