import OrderServerKit
import RocketProgram

await Program.run(OrderServerCommand.self)
