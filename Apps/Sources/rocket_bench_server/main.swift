import BenchKit
import RocketProgram

await Program.run(BenchServerCommand.self)
