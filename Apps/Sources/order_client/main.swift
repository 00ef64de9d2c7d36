import OrderClientKit
import RocketProgram

await Program.run(OrderClientCommand.self)
