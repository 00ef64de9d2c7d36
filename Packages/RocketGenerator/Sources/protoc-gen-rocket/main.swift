import RocketGeneratorPlugin
import SwiftProtobufPluginLibrary

ServiceGenerator().main(nil)
