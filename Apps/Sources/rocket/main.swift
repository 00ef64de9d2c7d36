import RocketProgram
import RocketToolKit

await Program.run(RocketCommand.self)
