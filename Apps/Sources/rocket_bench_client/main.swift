import BenchKit
import ProgramKit

await Program.run(BenchClientCommand.self)
