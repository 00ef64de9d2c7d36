import BenchKit
import ProgramKit

await Program.run(BenchServerCommand.self)
