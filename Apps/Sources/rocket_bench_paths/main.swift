import BenchKit
import ProgramKit

await Program.run(BenchPathsCommand.self)
