import RocketGeneratorPlugin

PluginProgram.run()
