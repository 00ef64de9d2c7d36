import BenchKit
import RocketProgram

await Program.run(BenchClientCommand.self)
