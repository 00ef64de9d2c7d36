import OrderClientKit
import ProgramKit

await Program.run(OrderClientCommand.self)
