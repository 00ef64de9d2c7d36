import OrderServerKit
import ProgramKit

await Program.run(OrderServerCommand.self)
