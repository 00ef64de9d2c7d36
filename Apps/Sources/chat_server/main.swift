import ChatServerKit
import ProgramKit

await Program.run(ChatServerCommand.self)
