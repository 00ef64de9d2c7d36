import ChatClientKit
import ProgramKit

await Program.run(ChatClientCommand.self)
