import ChatServerKit
import RocketProgram

await Program.run(ChatServerCommand.self)
