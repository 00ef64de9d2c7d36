import ChatClientKit
import RocketProgram

await Program.run(ChatClientCommand.self)
