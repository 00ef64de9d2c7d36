import RocketGeneratorKit
import RocketProgram

await Program.run(GeneratorCommand.self)
