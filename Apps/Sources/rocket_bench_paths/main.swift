import BenchKit
import RocketProgram

await Program.run(BenchPathsCommand.self)
